using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L4;
using Mesh.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>The L4 proxy with routes of its own, on ClusterIPs that no other test uses.</summary>
internal sealed class L4Host : IAsyncDisposable
{
    private static int LastAddress;

    public L4Host(ServiceListenerOptions? options = null, TimeProvider? time = null, ILogger<ServiceListeners>? log = null)
    {
        Listeners = new ServiceListeners(
            Routes.Published,
            options ?? new ServiceListenerOptions(),
            Routes,
            () => Machine,
            Problems,
            Suspects,
            new Random(1),
            Loops.Loops,
            time ?? TimeProvider.System,
            log ?? NullLogger<ServiceListeners>.Instance);
        Routes.Follow(Listeners.Update);
    }

    /// <summary>The addresses of this machine, beside 127.0.0.1.</summary>
    public ImmutableArray<IPAddress> Machine { get; set; } = [];

    public WatchedLoops Loops { get; } = new();

    public SomeRoutes Routes { get; } = new();

    public Suspects Suspects { get; } = new();

    public Problems Problems { get; } = new();

    public ServiceListeners Listeners { get; }

    /// <summary>A ClusterIP and a port on it that are free.</summary>
    public static IPEndPoint FreeClusterIP()
    {
        var number = Interlocked.Increment(ref LastAddress);
        var address = new IPAddress([127, 97, (byte)(1 + (Environment.ProcessId % 250)), (byte)(1 + (number % 250))]);
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    /// <summary>NodePorts are served on these addresses.</summary>
    public static NodePortAddresses Blocks(params IEnumerable<IPAddress> addresses) => new([.. addresses.Select(address => IPRange.Parse($"{address}/32"))]);

    /// <summary>One address, which no other test uses, serves NodePorts; the port is free there.</summary>
    public IPEndPoint Only()
    {
        var here = FreeClusterIP();
        Machine = [here.Address];
        Listeners.Serve(Blocks(here.Address), EndpointRule.Unconfigured);
        return here;
    }

    /// <summary>Starts with one Service, web, of these Pods; its address.</summary>
    public async Task<IPEndPoint> ServeAsync(params SomePod[] pods)
    {
        var address = FreeClusterIP();
        Routes.Service("web", address.Address.ToString(), address.Port, pods);
        await StartAsync();
        return address;
    }

    public Task StartAsync() => Listeners.StartAsync(CancellationToken.None);

    /// <summary>Connects as soon as the Service is listened on.</summary>
    public static async Task<RawClient> ConnectAsync(IPEndPoint address, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await RawClient.ConnectAsync(address, stop);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                await Task.Yield(); // the loop that opens listeners has not run yet
                stop.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Returns when a Pod has answered at the address.</summary>
    public static async Task AnswersAsync(IPEndPoint address, CancellationToken stop)
    {
        using var client = await ConnectAsync(address, stop);
        await AskAsync(client, stop);
    }

    public static async Task AskAsync(RawClient client, CancellationToken stop)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n", stop);
        Assert.Equal("ok", (await client.AnswerAsync(stop))!.Body);
    }

    /// <summary>Returns when the Service refuses connections.</summary>
    public static async Task RefusedAsync(IPEndPoint address, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                using var client = await RawClient.ConnectAsync(address, stop);
                await Task.Yield();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                await Task.Yield(); // it was in the backlog of the listener that just closed
            }
        }
    }

    public async ValueTask DisposeAsync() => await Listeners.DisposeAsync();
}

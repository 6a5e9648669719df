using System.Net;
using Mesh.DataPlane.L7;
using Mesh.Testing;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>The L7 gateway on a free port of 127.0.0.1, with routes of its own.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private static int LastGateway;

    private readonly IngressGateway _gateway;

    private GatewayHost(IngressOptions options, ILoggerFactory? logs, TimeProvider? time)
    {
        _gateway = new IngressGateway(
            Routes.Published,
            options with { HttpListen = [new IPEndPoint(IPAddress.Loopback, 0)], HttpsListen = [new IPEndPoint(IPAddress.Loopback, 0)], GatewayId = Id },
            Problems,
            Suspects,
            new Random(1),
            Loops.Loops,
            time ?? TimeProvider.System,
            logs ?? Errors);
        Routes.Follow(_gateway.Update);
    }

    /// <summary>What this one calls itself; each has another name.</summary>
    public string Id { get; } = $"mesh-{Interlocked.Increment(ref LastGateway)}";

    public WatchedLoops Loops { get; } = new();

    public SomeRoutes Routes { get; } = new();

    public Suspects Suspects { get; } = new();

    /// <summary>Empty unless the gateway failed in a way of its own; not followed when the test brings its own logs.</summary>
    public LoggedErrors Errors { get; } = new();

    public Problems Problems { get; } = new();

    public IngressGateway Gateway => _gateway;

    public IPEndPoint Address => _gateway.Addresses.Single();

    public IPEndPoint TlsAddress => _gateway.TlsAddresses.Single();

    /// <summary>A gateway whose host app.test goes to Service web with these Pods.</summary>
    /// <param name="known">What the routes hold before the gateway starts.</param>
    public static async Task<GatewayHost> StartAsync(
        SomePod[] pods, IngressOptions? options = null, ILoggerFactory? logs = null, TimeProvider? time = null, Action<SomeRoutes>? known = null)
    {
        var host = new GatewayHost(options ?? new IngressOptions(), logs, time);
        host.Routes.Service("web", "127.97.0.1", 80, pods);
        host.Routes.Ingress("app", "app.test", ("/", "Prefix", "web"));
        known?.Invoke(host.Routes);
        host.Routes.Synced();
        await host._gateway.StartAsync(CancellationToken.None);
        return host;
    }

    public Task<RawClient> ConnectAsync(CancellationToken stop) => RawClient.ConnectAsync(Address, stop);

    /// <summary>Sends the bytes on a connection of their own, and reads the first answer.</summary>
    public async Task<RawAnswer?> AskAsync(string bytes, CancellationToken stop)
    {
        using var client = await ConnectAsync(stop);
        await client.SendAsync(bytes, stop);
        return await client.AnswerAsync(stop);
    }

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync();
}

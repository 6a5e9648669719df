using System.Net;
using System.Net.Sockets;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

/// <summary>The DNS server of one machine: UDP and TCP on each listen address, answered from the current snapshot.</summary>
public sealed class DnsServer : IAsyncDisposable
{
    private const int PortTries = 20;

    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _stop = new();
    private bool _isDisposed;

    private DnsServer()
    {
    }

    /// <summary>The addresses served, with the ports that were chosen.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; private set; } = [];

    /// <summary>Binds and serves.</summary>
    /// <exception cref="SocketException">An address is taken or not permitted; nothing is left bound.</exception>
    public static DnsServer Start(DnsServerOptions options, DnsResponder responder, ProcessLoops loops, TimeProvider time, ILogger<DnsServer> log)
    {
        var server = new DnsServer();
        try
        {
            server.EndPoints = [.. options.Listen.Select(endPoint => server.Serve(endPoint, options, responder, loops, time, log))];
            return server;
        }
        catch
        {
            server._stop.Cancel();
            server.CloseSockets();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
        {
            return;
        }

        await _stop.CancelAsync();
        CloseSockets();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private IPEndPoint Serve(IPEndPoint wanted, DnsServerOptions options, DnsResponder responder, ProcessLoops loops, TimeProvider time, ILogger log)
    {
        var (udp, tcp) = BindBoth(wanted);
        _sockets.Add(udp);
        _sockets.Add(tcp);
        _running.Add(new UdpDnsListener(udp, responder, time, log).RunAsync(loops, _stop.Token));
        _running.Add(loops.RunAsync("DNS over TCP", new TcpDnsListener(tcp, responder, options, time, log).RunAsync, _stop.Token));
        var bound = (IPEndPoint)udp.LocalEndPoint!;
        log.Listening(bound);
        return bound;
    }

    /// <summary>One port for both protocols: with port 0, a free UDP port may be taken on TCP, then another is tried.</summary>
    private static (Socket Udp, Socket Tcp) BindBoth(IPEndPoint wanted)
    {
        for (var attempt = 1; ; attempt++)
        {
            var udp = new Socket(wanted.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            var tcp = new Socket(wanted.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                udp.Bind(wanted);
                tcp.Bind(udp.LocalEndPoint!);
                tcp.Listen();
                return (udp, tcp);
            }
            catch (SocketException error)
            {
                udp.Dispose();
                tcp.Dispose();
                if (wanted.Port != 0 || error.SocketErrorCode != SocketError.AddressAlreadyInUse || attempt == PortTries)
                {
                    throw;
                }
            }
        }
    }

    private void CloseSockets()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }
}

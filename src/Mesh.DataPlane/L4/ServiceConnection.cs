using System.Collections.Immutable;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L4;

/// <summary>
/// One client connection to a Service: connects it to an endpoint that accepts, then carries its bytes. The endpoints
/// are those of the snapshot read when the client connected, and when none of them accepted, those that have come since; no
/// later change cuts it.
/// </summary>
internal sealed class ServiceConnection(Socket client, NamespacedName service, Frontend frontend, L4Context context)
{
    private volatile SplicedConnection? _spliced;

    public NamespacedName Service => service;

    /// <inheritdoc cref="SplicedConnection.ResetIfIdle"/>
    public void ResetIfIdle() => _spliced?.ResetIfIdle();

    public async Task RunAsync()
    {
        DataPlaneMetrics.ServiceConnectionOpened(service);
        try
        {
            await CarryAsync(context.Connections.Cut);
        }
#pragma warning disable CA1031 // It is all that ends: those who wait for the connections of all Services wait for the others.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            context.Seldom.ConnectionFailed(service, failure);
        }
        finally
        {
            client.Dispose();
            DataPlaneMetrics.ServiceConnectionClosed(service);
        }
    }

    private async Task CarryAsync(CancellationToken cut)
    {
        using var upstream = await ConnectAsync(cut);
        if (upstream is null)
        {
            client.Close(timeout: 0); // a reset: the nearest to a refusal that an accepted connection can be given
            return;
        }

        client.NoDelay = true;
        TcpKeepAlive.Enable(upstream);
        using var spliced = new SplicedConnection(client, upstream, context.Time);
        _spliced = spliced;
        await using (cut.UnsafeRegister(static open => ((SplicedConnection)open!).Abort(), spliced))
        {
            await spliced.RunAsync();
        }

        DataPlaneMetrics.ServiceBytes(service, spliced.FromClient, spliced.ToClient);
    }

    private async Task<Socket?> ConnectAsync(CancellationToken cut)
    {
        var order = context.Pick.Order(Usable());
        for (var attempt = 1; attempt <= context.Options.MaxAttempts && (order.Next() ?? order.Next(context.Pick, Usable())) is { } target; attempt++)
        {
#pragma warning disable CA2000 // the caller's, or disposed below
            if (Open(target) is not { } socket)
#pragma warning restore CA2000
            {
                return null;
            }

            try
            {
                using var limit = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cut);
                await socket.ConnectAsync(target.Address, either.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                if (cut.IsCancellationRequested)
                {
                    return null;
                }

                context.Suspects.Refused(target.Endpoint, target.Address);
                DataPlaneMetrics.ConnectFailed(service);
                context.Seldom.EndpointRefused(service, target, e is SocketException ? e.Message : "it did not accept in time");
            }
        }

        return null;
    }

    /// <summary>Null when this process has no socket left: no endpoint's fault.</summary>
    private Socket? Open(Target target)
    {
        try
        {
            return new Socket(target.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        }
        catch (SocketException e)
        {
            context.Seldom.AcceptFailed(service, frontend.Address, e.Message);
            return null;
        }
    }

    private ImmutableArray<Target> Usable()
    {
        var snapshot = context.Routes.Current;
        if (snapshot.Services.TryGetValue(service, out var route))
        {
            foreach (var candidate in route.Ports)
            {
                if (frontend.Is(candidate.Port))
                {
                    return candidate.Usable;
                }
            }
        }

        return [];
    }
}

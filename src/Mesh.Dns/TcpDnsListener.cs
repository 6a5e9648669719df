using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

/// <summary>
/// Serves DNS on one TCP socket (RFC 7766): each message after its length, pipelined queries answered in order. Holds a
/// limited number of connections; with one more, the oldest is closed.
/// </summary>
internal sealed class TcpDnsListener(Socket listener, DnsResponder responder, DnsServerOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan PauseWhenOutOfSockets = TimeSpan.FromMilliseconds(50);

    private readonly LinkedList<Connection> _connections = new();
    private readonly Lock _lock = new();
    private readonly ToldSeldom _socketFailures = new(time);
    private readonly ToldSeldom _questionFailures = new(time);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Begin(await listener.AcceptAsync(stop), stop);
            }
            catch (Exception error) when (stop.IsCancellationRequested && error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException error)
            {
                // ECONNABORTED: that client is gone. EMFILE: no socket left; clients wait in the backlog meanwhile.
                await PauseAsync(error, stop);
            }
        }

        Task[] ending;
        lock (_lock)
        {
            ending = [.. _connections.Select(connection => connection.Served)];
        }

        await Task.WhenAll(ending);
    }

    private async Task PauseAsync(SocketException error, CancellationToken stop)
    {
        if (_socketFailures.Count() is > 0 and var times)
        {
            log.SocketFailed((IPEndPoint)listener.LocalEndPoint!, error.Message, times);
        }

        await Task.Delay(PauseWhenOutOfSockets, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Begin(Socket client, CancellationToken stop)
    {
        client.NoDelay = true;
        var connection = new Connection(client);
        lock (_lock)
        {
            if (_connections.Count >= options.MaxTcpConnections)
            {
                var oldest = _connections.First!;
                _connections.Remove(oldest);
                oldest.Value.Client.Dispose();
            }

            var node = _connections.AddLast(connection);
            connection.Served = ServeAsync(node, stop);
        }
    }

    private async Task ServeAsync(LinkedListNode<Connection> node, CancellationToken stop)
    {
        await Task.Yield(); // the caller holds the lock
        var client = node.Value.Client;
        var packet = ArrayPool<byte>.Shared.Rent(DnsResponder.MaxTcpPayload);
        var response = ArrayPool<byte>.Shared.Rent(DnsResponder.MaxTcpPayload + 2);
        try
        {
            while (await AnswerOneAsync(client, packet, response, stop))
            {
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone, too slow or one too many: its connection is all that ends.
        }
#pragma warning disable CA1031 // The same, and nobody looks at its task before the listener's end.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (_questionFailures.Count() is > 0 and var times)
            {
                log.QuestionFailed(times, failure);
            }
        }
        finally
        {
            client.Dispose();
            ArrayPool<byte>.Shared.Return(packet);
            ArrayPool<byte>.Shared.Return(response);
            lock (_lock)
            {
                if (node.List is not null)
                {
                    _connections.Remove(node);
                }
            }
        }
    }

    private async Task<bool> AnswerOneAsync(Socket client, byte[] packet, byte[] response, CancellationToken stop)
    {
        using var slow = new CancellationTokenSource(options.TcpReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, stop);
        if (!await ReadAsync(client, packet.AsMemory(0, 2), either.Token))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(packet);
        if (length == 0 || !await ReadAsync(client, packet.AsMemory(0, length), either.Token))
        {
            return false;
        }

        var began = Stopwatch.GetTimestamp();
        var answered = responder.Respond(packet.AsSpan(0, length), response.AsSpan(2), overTcp: true, out var type, out var code);
        if (answered == 0)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(response, (ushort)answered);
        for (var rest = response.AsMemory(0, answered + 2); !rest.IsEmpty;)
        {
            rest = rest[await client.SendAsync(rest, SocketFlags.None, either.Token)..];
        }

        DnsMetrics.Answered(began, type, code);
        return true;
    }

    private static async Task<bool> ReadAsync(Socket client, Memory<byte> into, CancellationToken stop)
    {
        while (!into.IsEmpty)
        {
            var read = await client.ReceiveAsync(into, SocketFlags.None, stop);
            if (read == 0)
            {
                return false;
            }

            into = into[read..];
        }

        return true;
    }

    private sealed class Connection(Socket client)
    {
        public Socket Client => client;

        public Task Served { get; set; } = Task.CompletedTask;
    }
}

using System.Buffers;
using System.Net.Sockets;

namespace Mesh.DataPlane.L4;

/// <summary>
/// Carries bytes between a client and an endpoint, each way on its own: a FIN of one side is passed on while the other
/// still sends (RFC 9293 §3.6), a reset of one side resets the other.
/// </summary>
internal sealed class SplicedConnection(Socket client, Socket upstream, TimeProvider time) : IDisposable
{
    // An idle connection holds two small buffers; a busy direction grows to the large one, and back.
    private const int SmallBuffer = 4 * 1024;
    private const int LargeBuffer = 64 * 1024;

    /// <summary>How often a side that has ended is looked at.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);

    private int _aborted;
    private int _ended;
    private HalfClosed? _halfClosed;
    private long _fromClient;
    private long _toClient;
    private long _carriedBefore = -1;
    private volatile bool _isAsked;

    /// <summary>Bytes from the client, and to it; exact once <see cref="RunAsync"/> has ended.</summary>
    public long FromClient => Volatile.Read(ref _fromClient);

    public long ToClient => Volatile.Read(ref _toClient);

    public Task RunAsync() => Task.WhenAll(CopyAsync(client, upstream, fromClient: true), CopyAsync(upstream, client, fromClient: false));

    /// <summary>Once it has run.</summary>
    public void Dispose() => _halfClosed?.Dispose();

    /// <summary>Resets both sides, so that neither takes what it has got for the whole.</summary>
    public void Abort()
    {
        if (Interlocked.Exchange(ref _aborted, 1) == 0)
        {
            client.Close(timeout: 0);
            upstream.Close(timeout: 0);
        }
    }

    /// <summary>
    /// While all of them drain, once at each look: one that carried nothing since the last look, and whose client waits for nothing,
    /// ends with a FIN to both sides. Who sent last is owed an answer; what no answer is given to lasts until it is aborted.
    /// </summary>
    public void EndIfIdle()
    {
        var carried = FromClient + ToClient;
        if (carried == _carriedBefore && !_isAsked)
        {
            End(client);
            End(upstream);
        }

        _carriedBefore = carried;
    }

    /// <summary>Whoever reads from it finds its end, and is done.</summary>
    private static void End(Socket side)
    {
        try
        {
            side.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool fromClient)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None) is var read && read > 0)
            {
                _isAsked = fromClient;
                await SendAllAsync(to, buffer.AsMemory(0, read));
                Carried(read, fromClient);
                buffer = Fit(buffer, read);
            }

            _isAsked |= fromClient; // a client that has said all waits for the rest of its answer
            to.Shutdown(SocketShutdown.Send);
            if (Interlocked.Increment(ref _ended) == 1)
            {
                _halfClosed = new HalfClosed(from, Abort, LookEvery, time);
            }
        }
        catch (SocketException)
        {
            Abort();
        }
        catch (ObjectDisposedException)
        {
            // The other direction aborted both.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Each direction has one writer.</summary>
    private void Carried(int bytes, bool fromClient)
    {
        ref var total = ref fromClient ? ref _fromClient : ref _toClient;
        Volatile.Write(ref total, total + bytes);
    }

    private static async ValueTask SendAllAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await to.SendAsync(bytes, SocketFlags.None)..];
        }
    }

    private static byte[] Fit(byte[] buffer, int read)
    {
        var wanted = read == buffer.Length ? LargeBuffer : read <= SmallBuffer / 2 ? SmallBuffer : buffer.Length;
        if (wanted == buffer.Length)
        {
            return buffer;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return ArrayPool<byte>.Shared.Rent(wanted);
    }
}

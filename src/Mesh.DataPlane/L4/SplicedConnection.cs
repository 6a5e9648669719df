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

    /// <summary>So many looks in a row without a byte, and a connection is idle.</summary>
    private const int IdleLooks = 3;

    private int _aborted;
    private int _ended;
    private HalfClosed? _halfClosed;
    private long _fromClient;
    private long _toClient;
    private long _carriedBefore = -1;
    private int _looks;
    private volatile bool _isAsked; // the client's bytes are the last that came
    private volatile bool _hasAskedAll;
    private volatile bool _isSending; // to the client, who may be slow to read

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
    /// While all of them drain, once at each look: resets one that carried nothing for a few looks, and whose client waits for nothing.
    /// One that sent last waits for an answer, and so does one that has ended its side; whoever reads slowly is still given what came.
    /// </summary>
    public void ResetIfIdle()
    {
        var carried = FromClient + ToClient;
        _looks = carried == _carriedBefore && !_isSending ? _looks + 1 : 0;
        _carriedBefore = carried;
        if (_looks >= IdleLooks && !_isAsked && !_hasAskedAll)
        {
            Abort(); // no FIN: of an answer that pauses for so long, its client is not to take the half for the whole
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool fromClient)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None) is var read && read > 0)
            {
                Begin(fromClient);
                await SendAllAsync(to, buffer.AsMemory(0, read));
                Carried(read, fromClient);
                buffer = Fit(buffer, read);
            }

            if (fromClient)
            {
                _hasAskedAll = true;
            }

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

    private void Begin(bool fromClient)
    {
        _isAsked = fromClient;
        if (!fromClient)
        {
            _isSending = true;
        }
    }

    /// <summary>Each direction has one writer.</summary>
    private void Carried(int bytes, bool fromClient)
    {
        if (fromClient)
        {
            Volatile.Write(ref _fromClient, _fromClient + bytes);
        }
        else
        {
            Volatile.Write(ref _toClient, _toClient + bytes);
            _isSending = false;
        }
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

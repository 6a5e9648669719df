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

    /// <summary>Bytes from the client, and to it; exact once <see cref="RunAsync"/> has ended.</summary>
    public long FromClient { get; private set; }

    public long ToClient { get; private set; }

    public async Task RunAsync()
    {
        var up = CopyAsync(client, upstream);
        var down = CopyAsync(upstream, client);
        FromClient = await up;
        ToClient = await down;
    }

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

    private async Task<long> CopyAsync(Socket from, Socket to)
    {
        var total = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None) is var read && read > 0)
            {
                await SendAllAsync(to, buffer.AsMemory(0, read));
                total += read;
                buffer = Fit(buffer, read);
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

        return total;
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

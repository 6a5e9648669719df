using System.Net.Sockets;

namespace Mesh.DataPlane.L4;

/// <summary>
/// A side that has ended and is still sent to. Nothing is awaited of it any more, so nobody hears when it is gone altogether,
/// by a reset or as keepalive finds: whoever it talked to, and may never end, is told by this.
/// </summary>
internal sealed class HalfClosed : IDisposable
{
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const byte Closed = 7; // TCP_CLOSE

    private readonly Socket _ended;
    private readonly Action _whenGone;
    private readonly ITimer _timer;

    public HalfClosed(Socket ended, Action whenGone, TimeSpan lookEvery, TimeProvider time)
    {
        _ended = ended;
        _whenGone = whenGone;
        _timer = time.CreateTimer(static side => ((HalfClosed)side!).Look(), this, lookEvery, lookEvery);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        Span<byte> info = stackalloc byte[1];
        try
        {
            if (_ended.GetRawSocketOption(Tcp, TcpInfo, info) == info.Length && info[0] == Closed)
            {
                _whenGone();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has just been closed.
        }
    }
}

using Microsoft.AspNetCore.Connections;

namespace Mesh.DataPlane.L7.Tls;

/// <summary>One handshake under way, and why it was cut off, if it was.</summary>
internal sealed class Handshake(ConnectionContext connection, TimeSpan limit, TimeProvider time) : IDisposable
{
    private const int UnderWay = -1;

    private ITimer? _timer;
    private int _state = UnderWay;

    public void Start() => _timer = time.CreateTimer(static handshake => ((Handshake)handshake!).Cut(HandshakeResult.TimedOut), this, limit, Timeout.InfiniteTimeSpan);

    /// <summary>Done, from when on nothing cuts it, or why it was cut before.</summary>
    public HandshakeResult Finish()
    {
        var before = Interlocked.CompareExchange(ref _state, (int)HandshakeResult.Done, UnderWay);
        return before == UnderWay ? HandshakeResult.Done : (HandshakeResult)before;
    }

    /// <summary>Closes the connection at once: whoever waits for a byte of it goes on. Nothing, when it is finished.</summary>
    public void Cut(HandshakeResult why)
    {
        if (Interlocked.CompareExchange(ref _state, (int)why, UnderWay) == UnderWay)
        {
            connection.Abort(new ConnectionAbortedException("The TLS handshake was cut off."));
        }
    }

    public void Dispose() => _timer?.Dispose();
}

/// <summary>What became of a handshake; the words of the metric are <see cref="HandshakeResults.Word"/>.</summary>
internal enum HandshakeResult
{
    Done,
    TimedOut,
    CrowdedOut,
    NotTls,
    TooLong,
    NoCertificate,
    Failed,
    ClientGone,
}

internal static class HandshakeResults
{
    public static string Word(this HandshakeResult result) => result switch
    {
        HandshakeResult.Done => "done",
        HandshakeResult.TimedOut => "timed_out",
        HandshakeResult.CrowdedOut => "crowded_out",
        HandshakeResult.NotTls => "not_tls",
        HandshakeResult.TooLong => "too_long",
        HandshakeResult.NoCertificate => "no_certificate",
        HandshakeResult.Failed => "failed",
        HandshakeResult.ClientGone => "client_gone",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

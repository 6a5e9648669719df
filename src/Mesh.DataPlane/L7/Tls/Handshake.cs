using Microsoft.AspNetCore.Connections;

namespace Mesh.DataPlane.L7.Tls;

/// <summary>One handshake under way, and why it was cut off, if it was.</summary>
internal sealed class Handshake(ConnectionContext connection, TimeSpan limit, TimeProvider time) : IDisposable
{
    private ITimer? _timer;
    private int _cut = (int)HandshakeResult.Done;

    public HandshakeResult Result => (HandshakeResult)Volatile.Read(ref _cut);

    public void Start() => _timer = time.CreateTimer(static handshake => ((Handshake)handshake!).Cut(HandshakeResult.TimedOut), this, limit, Timeout.InfiniteTimeSpan);

    /// <summary>Closes the connection at once: whoever waits for a byte of it goes on.</summary>
    public void Cut(HandshakeResult why)
    {
        if (Interlocked.CompareExchange(ref _cut, (int)why, (int)HandshakeResult.Done) == (int)HandshakeResult.Done)
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

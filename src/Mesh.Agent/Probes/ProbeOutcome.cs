using System.Net.Sockets;

namespace Mesh.Agent.Probes;

/// <summary>How one attempt of a probe ended, and what that says of the Pod.</summary>
internal abstract record ProbeOutcome
{
    private ProbeOutcome()
    {
    }

    public sealed record Passed : ProbeOutcome
    {
        public static Passed Instance { get; } = new();
    }

    /// <summary>Why it did not pass, for the Pod's Ready condition.</summary>
    public abstract record Failure(string Why) : ProbeOutcome;

    /// <summary>Nobody listens there: evidence of an end.</summary>
    public sealed record Refused(string Why) : Failure(Why);

    /// <summary>Nothing came in time: less than evidence, as a busy machine answers late.</summary>
    public sealed record Silent(string Why) : Failure(Why);

    /// <summary>There was an answer, and it was not the one that is wanted; or there can be none.</summary>
    public sealed record Failed(string Why) : Failure(Why);

    /// <summary>The node could not try: that says nothing of the Pod.</summary>
    /// <param name="IsCut">It had begun, and gave its place to another Pod.</param>
    public sealed record NotTried(string Why, bool IsCut = false) : ProbeOutcome;

    /// <summary>What a socket's error says.</summary>
    /// <param name="where">Stands in front of it.</param>
    public static ProbeOutcome Of(SocketException error, string where)
    {
        var why = $"{where}: {error.Message}";
        return error.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => new Refused(why),
            SocketError.TimedOut => new Silent(why),
            // EMFILE and ENFILE, ENOBUFS, EADDRNOTAVAIL: no descriptor, memory or port was left for the node's own end.
            SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable => new NotTried(why),
            _ => new Failed(why),
        };
    }
}

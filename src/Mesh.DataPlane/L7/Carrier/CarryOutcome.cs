namespace Mesh.DataPlane.L7.Carrier;

/// <summary>How one attempt to have a request answered by an endpoint ended.</summary>
internal abstract record CarryOutcome
{
    private CarryOutcome()
    {
    }

    /// <summary>The endpoint's answer was passed on whole.</summary>
    public sealed record Answered : CarryOutcome
    {
        public static Answered Instance { get; } = new();
    }

    /// <summary>The endpoint did not take the connection: it has seen nothing of the request.</summary>
    public sealed record NotConnected(string Detail, bool IsTimeout) : CarryOutcome;

    /// <summary>The gateway has no descriptor for a connection to the endpoint.</summary>
    public sealed record NoRoom(string Detail) : CarryOutcome;

    /// <summary>The endpoint left the snapshot between the pick and the attempt.</summary>
    public sealed record Retired : CarryOutcome
    {
        public static Retired Instance { get; } = new();
    }

    /// <summary>The connection ended before any byte of an answer: the endpoint may have seen the request.</summary>
    public sealed record NotAnswered(string Detail) : CarryOutcome;

    /// <summary>What came is no whole, valid answer.</summary>
    public sealed record BadAnswer(string Detail) : CarryOutcome;

    public sealed record TimedOut : CarryOutcome
    {
        public static TimedOut Instance { get; } = new();
    }

    public sealed record ClientGone : CarryOutcome
    {
        public static ClientGone Instance { get; } = new();
    }

    /// <summary>The client's host or body was wrong, or its body too slow.</summary>
    public sealed record BadRequest(Refusal Refusal) : CarryOutcome;
}

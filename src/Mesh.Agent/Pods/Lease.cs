using System.Threading.Channels;
using Mesh.Agent.Registrations;

namespace Mesh.Agent.Pods;

/// <summary>
/// One open registration stream: the Pod lives while it does. What the stream must show is state, read when it gets round
/// to writing, so that a client that does not read costs nothing.
/// </summary>
/// <param name="answersAt">Where the process at its other end says whether it lives; null if it does not say so.</param>
internal sealed class Lease(string? answersAt = null)
{
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private LeaseEnd? _end;

    public string? AnswersAt => answersAt;

    public LeaseEnd? End => Volatile.Read(ref _end);

    public void Touch() => _changed.Writer.TryWrite(true);

    /// <summary>The first end counts.</summary>
    public void Finish(LeaseEnd end)
    {
        Interlocked.CompareExchange(ref _end, end, null);
        Touch();
    }

    public async ValueTask ChangedAsync(CancellationToken stop) => await _changed.Reader.ReadAsync(stop);
}

/// <summary>Why a stream ends though its client did not close it.</summary>
internal abstract record LeaseEnd
{
    private LeaseEnd()
    {
    }

    /// <summary>Another stream took the Pod over: nothing is said, the Pod lives on.</summary>
    public sealed record TakenOver : LeaseEnd;

    /// <summary>The Pod was deleted.</summary>
    public sealed record Deleted : LeaseEnd;

    /// <summary>The silo does not take the Pod.</summary>
    public sealed record Refused(Refusal Why) : LeaseEnd;
}

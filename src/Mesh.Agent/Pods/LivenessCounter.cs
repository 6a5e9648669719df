namespace Mesh.Agent.Pods;

/// <summary>
/// Orders everything that this node ever says of its Pods: <c>incarnation &lt;&lt; 32 | count</c>, where the incarnation
/// numbers the starts of the node process.
/// </summary>
internal sealed class LivenessCounter(uint incarnation)
{
    private ulong _last = (ulong)incarnation << 32;

    public ulong Last => Volatile.Read(ref _last);

    public ulong Next() => Interlocked.Increment(ref _last);
}

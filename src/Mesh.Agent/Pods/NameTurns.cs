using Mesh.Core.Names;

namespace Mesh.Agent.Pods;

/// <summary>
/// One change at a time of what is registered under a name: a change is in the journal before anybody sees it, so the next
/// one must not be made from what the first has not shown yet.
/// </summary>
internal sealed class NameTurns
{
    // Names that share a turn wait for each other no longer than one write to the journal takes.
    private const int Count = 256;

    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Count).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Completes when it is the caller's turn, which lasts until what is returned is disposed.</summary>
    public async ValueTask<IDisposable> TakeAsync(NamespacedName name, CancellationToken stop)
    {
        var turn = _turns[(uint)name.GetHashCode() % Count];
        await turn.WaitAsync(stop);
        return new Turn(turn);
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}

namespace Mesh.Storage.Caching;

/// <summary>Who waits for the cache to reach a version. Not thread-safe: its cache locks.</summary>
internal sealed class VersionWaiters
{
    private readonly LinkedList<(long Version, TaskCompletionSource Reached)> _waiting = [];

    public LinkedListNode<(long Version, TaskCompletionSource Reached)> Add(long version) =>
        _waiting.AddLast((version, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));

    public void Remove(LinkedListNode<(long Version, TaskCompletionSource Reached)> waiter)
    {
        if (waiter.List is not null)
        {
            _waiting.Remove(waiter);
        }
    }

    public void Release(long version)
    {
        for (var waiter = _waiting.First; waiter is not null;)
        {
            var next = waiter.Next;
            if (waiter.Value.Version <= version)
            {
                _waiting.Remove(waiter);
                waiter.Value.Reached.TrySetResult();
            }

            waiter = next;
        }
    }
}

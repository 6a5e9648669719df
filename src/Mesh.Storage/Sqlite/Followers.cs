using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>Who in this process is told of each transaction.</summary>
internal sealed class Followers(ILogger log)
{
    private readonly Lock _gate = new();
    private Action<LogPage>[] _followers = [];

    public IDisposable Add(Action<LogPage> follower)
    {
        lock (_gate)
        {
            _followers = [.. _followers, follower];
        }

        return new Registration(this, follower);
    }

    public void Tell(LogPage page)
    {
        foreach (var follower in Volatile.Read(ref _followers))
        {
            try
            {
                follower(page);
            }
#pragma warning disable CA1031 // A follower's fault must not end the loop that everybody's commits go through; it misses a page and catches up.
            catch (Exception failed)
#pragma warning restore CA1031
            {
                log.FollowerFailed(failed);
            }
        }
    }

    private void Remove(Action<LogPage> follower)
    {
        lock (_gate)
        {
            _followers = [.. _followers.Where(other => other != follower)];
        }
    }

    private sealed class Registration(Followers owner, Action<LogPage> follower) : IDisposable
    {
        public void Dispose() => owner.Remove(follower);
    }
}

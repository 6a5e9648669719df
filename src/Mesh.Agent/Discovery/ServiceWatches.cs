using System.Collections.Concurrent;
using System.Collections.Immutable;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;

namespace Mesh.Agent.Discovery;

/// <summary>
/// Who watches which Service. A change of a Service that nobody watches costs one lookup, and none while nobody watches at all.
/// </summary>
internal sealed class ServiceWatches
{
    /// <summary>Every watch is a connection, and what a node takes beside them are its registrations.</summary>
    public const int MostOfNode = 1_500;

    /// <summary>One user's processes leave room for another's.</summary>
    public const int MostOfUser = 1_000;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<NamespacedName, WatchedService> _services = new();
    private readonly Dictionary<uint, int> _users = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The watch ends when it is disposed.</summary>
    public Refusal? Open(NamespacedName name, uint user, out ServiceWatch? watch)
    {
        lock (_gate)
        {
            watch = null;
            var ofUser = _users.GetValueOrDefault(user);
            if (_count >= MostOfNode)
            {
                return Refusal.TooMany($"This node has {_count} watches of Services, and takes {MostOfNode} at most.");
            }

            if (ofUser >= MostOfUser)
            {
                return Refusal.TooMany($"Processes of uid {user} have {ofUser} watches of Services, and may have {MostOfUser} at most.");
            }

            var service = _services.GetOrAdd(name, static name => new WatchedService(name));
            watch = new ServiceWatch(this, service, user);
            service.Watches = service.Watches.Add(watch);
            _users[user] = ofUser + 1;
            _count++;
        }

        AgentMetrics.WatchBegan();
        return null;
    }

    public void Close(ServiceWatch watch)
    {
        lock (_gate)
        {
            watch.Service.Watches = watch.Service.Watches.Remove(watch);
            if (watch.Service.Watches.IsEmpty)
            {
                _services.TryRemove(watch.Name, out _);
            }

            if (--_users[watch.User] == 0)
            {
                _users.Remove(watch.User);
            }

            _count--;
        }

        AgentMetrics.WatchEnded();
    }

    /// <summary>After a publication; returns at once.</summary>
    public void OnChanged(ImmutableArray<NamespacedName> changed)
    {
        if (Count == 0)
        {
            return;
        }

        foreach (var name in changed)
        {
            if (_services.TryGetValue(name, out var service))
            {
                foreach (var watch in service.Watches)
                {
                    watch.Touch();
                }
            }
        }
    }
}

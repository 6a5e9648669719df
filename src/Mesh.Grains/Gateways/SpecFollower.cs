using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Gateways;

/// <summary>Feeds a gateway's table with the specs of the watch cache, from a whole listing on, in resourceVersion order but for the Secrets of a listing.</summary>
/// <param name="changed">Called after each batch, with the feeds that want a subscription.</param>
internal sealed class SpecFollower(IWatchCache cache, GatewayTable table, TimeProvider time, Action<IReadOnlyList<ServiceFeed>> changed)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);

    private static readonly (string Group, string Kind)[] Followed =
        [("", "Namespace"), ("", "Node"), ("", "Service"), (Kinds.NetworkingGroup, "IngressClass"), (Kinds.NetworkingGroup, "Ingress"), ("", "Secret"), ("", "Pod")];

    /// <summary>The cache has been as new as the store's counter: every Service that existed then is followed.</summary>
    public bool IsComplete { get; private set; }

    /// <exception cref="WatchExpiredException">This follower fell behind; run it again.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        // Before the lists: what changes while they are read is seen again, and skipped by its version.
        var version = cache.Version;
        changed(List());
        using var watch = cache.Watch(static key => Array.Exists(Followed, kind => kind == (key.Group, key.Kind)), version);
        while (true)
        {
            changed(Apply(await watch.NextAsync(stop)));
        }
    }

    /// <summary>Ends once the cache was fresh and its listing is in the table; a silent store is waited for.</summary>
    public async Task CompleteAsync(CancellationToken stop)
    {
        while (!await cache.WaitForFreshAsync(stop))
        {
            await Task.Delay(LookAgainAfter, time, stop);
        }

        var feeds = List();
        IsComplete = true;
        changed(feeds);
    }

    private List<ServiceFeed> List()
    {
        CacheList[] lists = [OwnPods(), .. Followed.Where(kind => kind.Kind != "Pod").Select(kind => cache.List(kind.Group, kind.Kind, null))];
        var feeds = new List<ServiceFeed>();
        // Secrets first: the certificate that an Ingress names is told before it, however old the Ingress is.
        foreach (var stored in lists.SelectMany(list => list.Items).OrderBy(stored => stored.Key.Kind != "Secret").ThenBy(stored => stored.ResourceVersion))
        {
            if (table.Put(stored) is { } feed)
            {
                feeds.Add(feed);
            }
        }

        table.RemoveAbsent(lists.SelectMany(list => list.Items).Select(stored => stored.Key).ToHashSet(), lists.Min(list => list.Version));
        return feeds;
    }

    // The version first: what comes between the two is looked at again.
    private CacheList OwnPods() => new(cache.Version, cache.Find(Indexes.PodsByNode, table.Node));

    private List<ServiceFeed> Apply(IReadOnlyList<StoreChange> changes)
    {
        var feeds = new List<ServiceFeed>();
        foreach (var change in changes)
        {
            if (change.Type == StoreChangeType.Deleted)
            {
                table.Remove(change.Object);
            }
            else if (table.Put(change.Object) is { } feed)
            {
                feeds.Add(feed);
            }
        }

        return feeds;
    }
}

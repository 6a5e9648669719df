using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Delivery;
using Mesh.Grains.Nodes;
using Mesh.Grains.Registry;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Mesh.Grains.Gateways;

/// <summary>
/// Decides what one machine routes: follows the specs and every Service's endpoints, and feeds the node's link, one
/// message in flight. An activation without its link answers Gone and ends itself.
/// </summary>
[GrainType("mesh.gateway"), LinkedSiloPlacement, KeepAlive, Reentrant]
public sealed class GatewayGrain(
    IWatchCache cache,
    IGatewayLinks links,
    MembershipSignal membership,
    ProcessLoops loops,
    TimeProvider time,
    Random random,
    ILogger<GatewayGrain> log) : Grain, IGatewayGrain, IDisposable
{
    // Whether the node's default certificate has been renewed; it lives for months.
    private static readonly TimeSpan LookAtCertificateEvery = TimeSpan.FromHours(1);

    private static readonly TimeSpan ListAgainAfter = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _gate = new(SubscriptionsAtOnce, SubscriptionsAtOnce);
    private readonly List<Task> _loops = [];
    private readonly List<Task> _ending = [];
    private IGatewayLink? _link;
    private GatewayFeed? _feed;
    private int _opened;
    private bool _isFailed;

    /// <summary>Subscribes and renewals under way at once.</summary>
    public const int SubscriptionsAtOnce = 64;

    private string Key => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (GatewayKey.TryParse(Key, out var key) && links.Find(key.Session) is { Ended.IsCancellationRequested: false } link)
        {
            _link = link;
            Begin(link);
        }

        // Without one it stays for the call that woke it: what ends while it activates is handed to the next activation,
        // which would end likewise, until the caller is refused instead of told Gone.
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        if (_feed is not null)
        {
            await Task.WhenAll(_feed.Table.Feeds.Select(StopAsync).Concat(_ending));
        }
    }

    public Task Start(CancellationToken stop)
    {
        EndWithoutLink(); // activation began it
        return Task.CompletedTask;
    }

    public Task Stop(CancellationToken stop)
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<DeliveryAck> OnEndpoints(string service, Delta<EndpointRow> delta, CancellationToken stop)
    {
        if (EndWithoutLink())
        {
            return Task.FromResult(DeliveryAck.Gone);
        }

        var subscription = NamespacedName.TryParse(service, out var name) ? _feed?.Table.Find(name)?.Endpoints : null;
        return Task.FromResult(subscription?.OnDelta(delta) ?? DeliveryAck.Gone);
    }

    public Task HintInventory(string registry)
    {
        if (!EndWithoutLink())
        {
            _link?.RequestInventory(RegistryKeys.NamespaceOf(registry));
        }

        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _stop.Cancel(); // an activation that ended before it had begun is not told of its end
        _stop.Dispose();
        _gate.Dispose();
    }

    private bool EndWithoutLink()
    {
        if (_link is { Ended.IsCancellationRequested: false })
        {
            return false;
        }

        DeactivateOnIdle();
        return true;
    }

    private void Begin(IGatewayLink link)
    {
        var table = new GatewayTable(link.NodeName, time);
        _feed = new GatewayFeed(link, table, time, SpecsChanged(table));
        var follower = _feed.Follower(cache);
        Own("gateway: sending", _feed.SendAsync);
        Own("gateway: first specs", follower.CompleteAsync);
        Own("gateway: specs", stop => FollowAsync(follower, stop));
        Own("gateway: node's life", stop => TellAliveAsync(link, stop));
        Own("gateway: certificate", stop => TellCertificateAsync(link, table, stop));
    }

    private void Own(string name, Func<CancellationToken, Task> loop) =>
        _loops.Add(loops.RunToEndAsync(name, stop => RunOrEndAsync(loop, stop), _stop.Token));

    /// <summary>
    /// Ends the activation when one of its loops cannot go on: what it had taken in hand may be lost, and the next activation
    /// begins anew, with the node's next pulse. The link's end is the usual cause.
    /// </summary>
    private async Task RunOrEndAsync(Func<CancellationToken, Task> loop, CancellationToken stop)
    {
        await Task.Yield(); // the activation has begun: the end of one that has not leaves what its other loops have opened
        if (_isFailed)
        {
            return; // the activation ends
        }

        try
        {
            await loop(stop);
        }
        catch (LinkEndedException)
        {
            if (!stop.IsCancellationRequested)
            {
                log.GatewayEnded(Key);
                DeactivateOnIdle();
            }
        }
        catch when (!stop.IsCancellationRequested)
        {
            _isFailed = true;
            DeactivateOnIdle();
            throw;
        }
    }

    private async Task FollowAsync(SpecFollower follower, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await follower.RunAsync(stop);
            }
            catch (WatchExpiredException)
            {
                // It fell behind the log: everything is listed again. A cache that has stopped says so at once, for as long as it is asked.
                await Task.Delay(ListAgainAfter, time, stop);
            }
        }
    }

    private async Task TellAliveAsync(IGatewayLink link, CancellationToken stop)
    {
        using var tick = new PeriodicTimer(NodeLiveness.TellEvery, time);
        var node = GrainFactory.GetGrain<INodeGrain>(link.NodeName);
        do
        {
            try
            {
                if (link.Silence < NodeLiveness.SilentAfter && !await node.Alive(link.Session with { Gateway = Key }, stop))
                {
                    throw new LinkEndedException(Key); // the node has a newer link
                }
            }
            catch (Exception problem) when (problem is OrleansException or TimeoutException)
            {
                log.NodeNotTold(link.NodeName, problem);
            }
        }
        while (await tick.WaitForNextTickAsync(stop));
    }

    private async Task TellCertificateAsync(IGatewayLink link, GatewayTable table, CancellationToken stop)
    {
        using var tick = new PeriodicTimer(LookAtCertificateEvery, time);
        ReadOnlyMemory<byte> told = default;
        do
        {
            if (link.DefaultCertificate is var current && !current.Equals(told))
            {
                table.PutDefault(told = current);
                _feed?.Wake();
            }
        }
        while (await tick.WaitForNextTickAsync(stop));
    }

    private Action<IReadOnlyList<ServiceFeed>> SpecsChanged(GatewayTable table) => feeds =>
    {
        foreach (var feed in feeds)
        {
            feed.Endpoints = Subscribe(feed);
            feed.Endpoints.Start();
        }

        _ending.RemoveAll(task => task.IsCompletedSuccessfully);
        _ending.AddRange(table.TakeEnded().Select(StopAsync));
        _feed?.Wake();
    };

    private Subscription<string, EndpointRow> Subscribe(ServiceFeed feed)
    {
        var settings = new SubscriptionSettings(
            $"{GrainContext.ActivationId}.{++_opened}", time, random, _gate, loops, () => membership.Changed, failure => log.NotAnswered(Key, failure), _stop.Token);
        var target = new ServiceTarget(GrainFactory.GetGrain<IServiceGrain>(feed.Name.ToString()), feed, Key);
        return new Subscription<string, EndpointRow>(EndpointRows.Kind, target, settings, rows => _feed!.Note(feed, rows));
    }

    private static Task StopAsync(ServiceFeed feed) => feed.Endpoints?.DisposeAsync().AsTask() ?? Task.CompletedTask;

    private sealed class ServiceTarget(IServiceGrain service, ServiceFeed feed, string gateway) : ISubscriptionTarget<EndpointRow>
    {
        public string ObjectUid => feed.Uid;

        public Task<Delta<EndpointRow>> SubscribeAsync(StreamName stream, CancellationToken stop) =>
            service.SubscribeEndpoints(new EndpointSubscription(stream, gateway, feed.Uid, feed.Latest.ResourceVersion), stop);

        public Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop) => service.RenewEndpoints(renewal, stop);

        public Task UnsubscribeAsync(StreamName stream) => service.UnsubscribeEndpoints(stream);
    }
}

using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Delivery;
using Mesh.Grains.Nodes;
using Mesh.Grains.Registry;
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
    TimeProvider time,
    Random random,
    ILogger<GatewayGrain> log) : Grain, IGatewayGrain, IDisposable
{
    // Whether the node's default certificate has been renewed; it lives for months.
    private static readonly TimeSpan LookAtCertificateEvery = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _gate = new(SubscriptionsAtOnce, SubscriptionsAtOnce);
    private readonly List<Task> _loops = [];
    private readonly List<Task> _ending = [];
    private IGatewayLink? _link;
    private GatewayFeed? _feed;
    private int _opened;

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
        _loops.Add(OwnAsync(() => _feed.SendAsync(_stop.Token)));
        _loops.Add(OwnAsync(() => follower.CompleteAsync(_stop.Token)));
        _loops.Add(OwnAsync(() => FollowAsync(follower)));
        _loops.Add(OwnAsync(() => TellAliveAsync(link)));
        _loops.Add(OwnAsync(() => TellCertificateAsync(link, table)));
    }

    /// <summary>Ends the activation when one of its loops cannot go on; the link's end is the usual cause.</summary>
    private async Task OwnAsync(Func<Task> loop)
    {
        try
        {
            await loop();
        }
#pragma warning disable CA1031 // The boundary of the grain's loops: whatever ended one ends the activation, and the next starts anew.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            if (!_stop.IsCancellationRequested)
            {
                if (problem is LinkEndedException)
                {
                    log.GatewayEnded(Key);
                }
                else
                {
                    log.GatewayFailed(Key, problem);
                }

                DeactivateOnIdle();
            }
        }
    }

    private async Task FollowAsync(SpecFollower follower)
    {
        while (true)
        {
            try
            {
                await follower.RunAsync(_stop.Token);
            }
            catch (WatchExpiredException)
            {
                // It fell behind the log: everything is listed again.
            }
        }
    }

    private async Task TellAliveAsync(IGatewayLink link)
    {
        using var tick = new PeriodicTimer(NodeLiveness.TellEvery, time);
        var node = GrainFactory.GetGrain<INodeGrain>(link.NodeName);
        do
        {
            try
            {
                if (link.Silence < NodeLiveness.SilentAfter && !await node.Alive(link.Session with { Gateway = Key }, _stop.Token))
                {
                    throw new LinkEndedException(Key); // the node has a newer link
                }
            }
            catch (Exception problem) when (problem is OrleansException or TimeoutException)
            {
                log.NodeNotTold(link.NodeName, problem);
            }
        }
        while (await tick.WaitForNextTickAsync(_stop.Token));
    }

    private async Task TellCertificateAsync(IGatewayLink link, GatewayTable table)
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
        while (await tick.WaitForNextTickAsync(_stop.Token));
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
            $"{GrainContext.ActivationId}.{++_opened}", time, random, _gate, () => membership.Changed, failure => log.NotAnswered(Key, failure));
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

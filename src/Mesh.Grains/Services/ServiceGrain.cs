using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Activations;
using Mesh.Grains.Delivery;
using Mesh.Grains.Events;
using Mesh.Grains.Objects;
using Mesh.Grains.Placement;
using Mesh.Grains.Projections;
using Mesh.Grains.Registry;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Mesh.Grains.Services;

/// <summary>Owns one Service: its object with the ClusterIP, its endpoints, and their way to the gateways.</summary>
[GrainType("mesh.service"), AnySiloPlacement, Reentrant]
public sealed class ServiceGrain(
    IObjectStore store,
    IWatchCache cache,
    ClusterIPs addresses,
    NodePorts nodePorts,
    LoadBalancerPool pool,
    MembershipSignal membership,
    ProjectionPace pace,
    EndpointRule rule,
    EventRecorder events,
    ProcessLoops loops,
    TimeProvider time,
    Random random,
    ILogger<ServiceGrain> log) : Grain, IServiceGrain, IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly PublishedEndpoints _published = new(rule, events);
    private NamespacedName _name = null!;
    private OwnedObject _object = null!;
    private ServiceRules _rules = null!;
    private IReadOnlyList<Finding> _found = [];
    private ServiceEndpoints _endpoints = null!;
    private Projection _projection = null!;
    private (string Uid, long Version)? _followed;
    private int _opened;
    private long _wholeAt; // the version of the object that was found to lack nothing

    private string Key => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!NamespacedName.TryParse(Key, out var name))
        {
            throw new FormatException($"'{Key}' is not the name of a Service.");
        }

        _name = name;
        var rows = new AllocationRow(name, time, random);
        _rules = new ServiceRules(
            name,
            new ClusterIPAllocation(addresses, rows),
            new NodePortAllocation(nodePorts, rows, cache),
            new LoadBalancerAllocation(new AddressChoice(pool, rows, cache, rule, random), rows, cache),
            cache);
        _object = new OwnedObject(Kinds.Service(name), store, cache, new FinalizedRules(_rules, time)) { PlansFromCache = true };
        var mirror = new EndpointProjection(store, cache, time, random, Mirror);
        _projection = new Projection(mirror, pace, loops, time, random, reason => log.ProjectionFailed(Key, reason));
        _endpoints = new ServiceEndpoints(Subscribe, Settings(), _projection.Mark);
        try
        {
            await LookAsync(0, cancellationToken);
            this.LookSoon(_object, stop => LookAsync(0, stop));
        }
        catch
        {
            await EndAsync(); // one that has not begun is not told of its end
            throw;
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => EndAsync();

    public async Task<ObjectReply> Write(ObjectRequest request, CancellationToken stop)
    {
        try
        {
            return await _object.WriteAsync(request, stop);
        }
        catch (FormatException malformed)
        {
            return Replies.Invalid("", malformed.Message);
        }
        finally
        {
            Follow(_object.Current);
            this.EndWith(_object); // the Keeper may have asked while the deletion had its turn still
        }
    }

    public async Task Reconcile(long version, CancellationToken stop)
    {
        await LookAsync(version, stop);
        await RepairAsync(stop);
        _projection.Mark(); // somebody may have changed or removed a slice
        this.EndWith(_object);
    }

    public Task<DeliveryAck> OnRows(string registry, Delta<PodRow> delta, CancellationToken stop) => Task.FromResult(_endpoints.OnRows(delta));

    public async Task<Delta<EndpointRow>> SubscribeEndpoints(EndpointSubscription subscription, CancellationToken stop)
    {
        await LookAsync(subscription.SpecVersion, stop);
        var gateway = GrainFactory.GetGrain<IGatewayGrain>(subscription.Gateway);
        return _endpoints.Outboxes.Subscribe(
            subscription.Stream, _endpoints, (delta, stopSending) => gateway.OnEndpoints(Key, delta, stopSending)).Answer;
    }

    public Task<RenewalAck> RenewEndpoints(Renewal renewal, CancellationToken stop) =>
        Task.FromResult(renewal.ObjectUid == _endpoints.ObjectUid ? _endpoints.Outboxes.Renew(renewal) : RenewalAck.Resync);

    public Task UnsubscribeEndpoints(StreamName stream)
    {
        _endpoints.Outboxes.Unsubscribe(stream);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _gate.Dispose();
        _object?.Dispose();
    }

    private async Task LookAsync(long version, CancellationToken stop)
    {
        try
        {
            Follow(await _object.ReadAsync(version, stop));
        }
        catch (StoreUnavailableException)
        {
            // The outcome of a commit is unknown and the store is silent: what is published stays.
        }
    }

    /// <summary>Takes what the Service lacks, and tells its owner of what it cannot have.</summary>
    private async Task RepairAsync(CancellationToken stop)
    {
        var found = new List<Finding>();
        if (_endpoints.Wanted is { } spec && NodePortAllocation.IsFor(spec) && _object.Current?.ResourceVersion != _wholeAt)
        {
            var reply = await _object.ChangeAsync(
                current =>
                {
                    found.Clear();
                    return _rules.Repair(current, found);
                },
                _rules.PlanAgain,
                CommitClass.Projection,
                stop);
            Follow(_object.Current);
            if (reply.Result is not (ObjectResult.Committed or ObjectResult.NotFound))
            {
                return; // nothing became another: the next look finds what there is then
            }
        }

        if (_object.Current is { } stored)
        {
            foreach (var finding in found.Except(_found))
            {
                events.Record(stored, isWarning: true, finding.Reason, finding.Message);
            }
        }

        _found = found;
        _wholeAt = found.Count == 0 ? _object.Current?.ResourceVersion ?? 0 : 0; // nobody else takes what it has
    }

    private void Follow(StoredObject? stored)
    {
        if (stored is not null && (stored.Uid, stored.ResourceVersion) == _followed)
        {
            return; // parsed already
        }

        try
        {
            _followed = stored is null ? null : (stored.Uid, stored.ResourceVersion);
            _endpoints.Follow(stored is null ? null : ServiceParser.Parse(stored.Document, stored.CreatedVersion));
        }
        catch (FormatException malformed)
        {
            log.ServiceUnreadable(Key, malformed.Message);
        }
    }

    private async Task EndAsync()
    {
        await _projection.DisposeAsync();
        await _endpoints.DisposeAsync();
    }

    /// <summary>What slices and Endpoints should say; null while that is unknown.</summary>
    private Mirrored? Mirror() =>
        _endpoints is { IsSynced: true, Spec: { } spec } && _object.Current is { } stored && stored.Uid == spec.Uid
            ? new Mirrored(spec, stored, _published.Of(stored, _endpoints.Rows().Where(row => !row.IsEnded)))
            : null;

    private OutboxSettings Settings() => new(
        GrainContext.ActivationId.ToString(), loops, time, random, (receiver, failure) => log.NotAcknowledged(Key, receiver, failure));

    private Subscription<string, PodRow> Subscribe(ServiceEndpoints endpoints)
    {
        var settings = new SubscriptionSettings(
            $"{GrainContext.ActivationId}.{++_opened}", time, random, _gate, loops, () => membership.Changed, failure => log.NotAnswered(Key, failure));
        var target = new RegistryTarget(GrainFactory.GetGrain<IPodRegistryGrain>(RegistryKeys.Of(_name.Namespace)), _name.Name, endpoints);
        return new Subscription<string, PodRow>(PodRows.Kind, target, settings, endpoints.OnReceived);
    }

    private sealed class RegistryTarget(IPodRegistryGrain registry, string service, ServiceEndpoints endpoints) : ISubscriptionTarget<PodRow>
    {
        public string ObjectUid => endpoints.Wanted!.Uid;

        public Task<Delta<PodRow>> SubscribeAsync(StreamName stream, CancellationToken stop)
        {
            var wanted = endpoints.Wanted!;
            var selector = wanted.Selector.ToDictionary(StringComparer.Ordinal);
            return registry.Subscribe(new PodSubscription(stream, service, wanted.Uid, wanted.ResourceVersion, selector), stop);
        }

        public Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop) => registry.Renew(renewal, stop);

        public Task UnsubscribeAsync(StreamName stream) => registry.Unsubscribe(stream);
    }
}

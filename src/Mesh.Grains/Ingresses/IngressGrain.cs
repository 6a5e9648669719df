using System.Text.Json.Nodes;
using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Activations;
using Mesh.Grains.Events;
using Mesh.Grains.Nodes;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;
using Orleans.Concurrency;

namespace Mesh.Grains.Ingresses;

/// <summary>Owns one Ingress object: commits it, shows at which addresses it is served, and says what of it is not routed.</summary>
[GrainType("mesh.ingress"), Reentrant]
public sealed class IngressGrain : Grain, IIngressGrain, IDisposable
{
    private readonly IWatchCache _cache;
    private readonly KnownNodes _nodes;
    private readonly EventRecorder _events;
    private readonly OwnedObject _object;
    private readonly TimeProvider _time;
    private IReadOnlyList<Finding> _found = [];

    public IngressGrain(IGrainContext context, IObjectStore store, IWatchCache cache, KnownNodes nodes, EventRecorder events, TimeProvider time, Random random)
    {
        var key = context.GrainId.Key.ToString();
        var name = NamespacedName.TryParse(key, out var parsed) ? parsed : throw new ArgumentException($"'{key}' is not the key of an Ingress.", nameof(context));
        (_cache, _nodes, _events, _time) = (cache, nodes, events, time);
        _object = new OwnedObject(Kinds.Ingress(name), store, cache, new FinalizedRules(new IngressRules(time, random), time));
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.LookSoon(_object, _ =>
        {
            _object.Look();
            return Task.CompletedTask;
        });
        return Task.CompletedTask;
    }

    public async Task<ObjectReply> Write(ObjectRequest request, CancellationToken stop)
    {
        var reply = await _object.WriteAsync(request, stop);
        this.EndWith(_object); // the Keeper may have asked while the deletion had its turn still
        return reply;
    }

    public async Task Reconcile(long version, CancellationToken stop)
    {
        if (await _object.ReadAsync(version, stop) is not { } stored || IngressDocument.TryParse(stored) is not { } ingress)
        {
            _found = [];
            this.EndWith(_object);
            return;
        }

        var found = IngressReview.Of(ingress, _cache, WallClock.Now(_time));
        foreach (var finding in found.Except(_found))
        {
            _events.Record(stored, isWarning: true, finding.Reason, finding.Message);
        }

        _found = found;
        // Every node's gateway serves what is routed, so its addresses are theirs.
        await ShowAddressesAsync(IngressReview.WhyNotRouted(ingress, _cache) is null ? _nodes.Serving() : [], stop);
    }

    public void Dispose() => _object.Dispose();

    private Task<ObjectReply> ShowAddressesAsync(IReadOnlyList<string> addresses, CancellationToken stop) => _object.ChangeAsync(
        current => current is null || Shown(current).SequenceEqual(addresses)
            ? new WritePlan.Keep()
            : new WritePlan.Put(WithAddresses(current.Document, addresses), []),
        static _ => null,
        CommitClass.Projection,
        stop);

    private static IEnumerable<string> Shown(StoredObject stored) =>
        (StoredFields.Node(stored.Document, "status", "loadBalancer", "ingress") as JsonArray)?
            .Select(entry => (string?)entry?["ip"] ?? "") ?? [];

    private static ReadOnlyMemory<byte> WithAddresses(ReadOnlyMemory<byte> document, IReadOnlyList<string> addresses)
    {
        var ingress = StoredFields.Open(document);
        ingress.Child("status").Child("loadBalancer")["ingress"] =
            new JsonArray([.. addresses.Select(address => (JsonNode)new JsonObject { ["ip"] = address })]);
        return StoredFields.Close(ingress);
    }

    private sealed class IngressRules(TimeProvider time, Random random) : IObjectRules
    {
        public WritePlan Plan(ObjectRequest request, StoredObject? current)
        {
            if (request.Verb == ObjectVerb.Delete)
            {
                return new WritePlan.Delete([]);
            }

            var ingress = StoredFields.Open(request.Document);
            var metadata = ingress.Child("metadata");
            metadata["uid"] ??= current?.Uid ?? Uid.New(random);
            metadata["creationTimestamp"] ??= StoredFields.Time(WallClock.Now(time));
            ingress["status"] = (current is null ? null : StoredFields.Node(current.Document, "status")) ?? new JsonObject { ["loadBalancer"] = new JsonObject() };
            return new WritePlan.Put(StoredFields.Close(ingress), []);
        }

        public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => null;
    }
}

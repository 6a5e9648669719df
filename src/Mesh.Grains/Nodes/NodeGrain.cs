using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Mesh.Grains.Nodes;

/// <summary>Owns one machine's Node object: what it said of itself, its newest link, and whether anything is heard of it.</summary>
[GrainType("mesh.node"), KeepAlive, Reentrant]
public sealed class NodeGrain : Grain, INodeGrain, IDisposable
{
    private readonly IWatchCache _cache;
    private readonly KnownNodes _nodes;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly OwnedObject _object;
    private readonly Silence _silence; // from now at the earliest: before that this activation could not hear
    private NodeSession? _newest;
    private NodeFacts? _facts;
    private bool _factsUntold;
    private Task _looking = Task.CompletedTask;
    private bool _lookAgain;

    public NodeGrain(IGrainContext context, IObjectStore store, IWatchCache cache, KnownNodes nodes, TimeProvider time, Random random, ILogger<NodeGrain> log)
    {
        (_cache, _nodes, _time, _random, _log) = (cache, nodes, time, random, log);
        _silence = new Silence(time);
        _object = new OwnedObject(Kinds.Node(context.GrainId.Key.ToString()!), store, cache, new ReadOnlyNode());
    }

    private string Name => _object.Key.Name;

    private bool IsSilent => _silence.Length >= NodeLiveness.SilentAfter;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await _object.ReadAsync(0, cancellationToken);
        this.RegisterGrainTimer(LookAsync, new GrainTimerCreationOptions(Silence.LookEvery, Silence.LookEvery) { Interleave = true });
    }

    public async Task<NodeOpened> Open(NodeSession session, NodeFacts facts, CancellationToken stop)
    {
        if (!Hear(session))
        {
            return new NodeOpened(false);
        }

        (_facts, _factsUntold) = (facts, true);
        await LookAsync(stop); // with a silent store the node links all the same, and the object follows
        return new NodeOpened(true);
    }

    public async Task<uint> KnownIncarnation(CancellationToken stop)
    {
        try
        {
            await _object.ReadFreshAsync(stop); // another silo may have written a greater one
        }
        catch (StoreUnavailableException)
        {
            // A node links though the store is silent.
        }

        return Math.Max(_object.Current is { } node ? NodeDocument.Incarnation(node.Document) : 0, _newest?.Incarnation ?? 0);
    }

    public Task<bool> Alive(NodeSession session, CancellationToken stop) => Task.FromResult(Hear(session));

    public Task HintRenew(string registry) =>
        _newest is null ? Task.CompletedTask : GrainFactory.GetGrain<IGatewayGrain>(_newest.Gateway).HintInventory(registry);

    public Task<ObjectReply> Write(ObjectRequest request, CancellationToken stop) => _object.WriteAsync(request, stop);

    public async Task Reconcile(long version, CancellationToken stop)
    {
        await _object.ReadAsync(version, stop);
        await LookAsync(stop);
    }

    public void Dispose() => _object.Dispose();

    /// <summary>False when the node has a newer link than this one.</summary>
    private bool Hear(NodeSession session)
    {
        if (_newest is not null && (session.Incarnation, session.Number).CompareTo((_newest.Incarnation, _newest.Number)) < 0)
        {
            return false;
        }

        _newest = session;
        _silence.Break();
        return true;
    }

    /// <summary>Looks at least once from now on: whoever asks while a look is under way waits for the next.</summary>
    private Task LookAsync(CancellationToken stop)
    {
        _silence.Look();
        _lookAgain = true;
        if (_looking.IsCompleted)
        {
            _looking = LookWhileAskedAsync(CancellationToken.None); // many wait for it: none of them ends it for the others
        }

        return _looking.WaitAsync(stop);
    }

    private async Task LookWhileAskedAsync(CancellationToken stop)
    {
        while (_lookAgain)
        {
            _lookAgain = false;
            if (await ShowAsync(stop))
            {
                await EndPodsAsync(stop);
            }
        }

        if (_object.IsAbsent && _newest is null)
        {
            DeactivateOnIdle(); // a machine that only some manifest names: there is nothing to own, and nobody to hear
        }
    }

    /// <summary>False when the store did not take it; the timer tries again.</summary>
    private async Task<bool> ShowAsync(CancellationToken stop)
    {
        while (Next() is { } next)
        {
            if (!await WriteAsync(next, stop))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What should be stored and is not; null when the object is as it should be.</summary>
    private Wanted? Next()
    {
        var stored = _object.Current is { } node ? NodeDocument.ReadyStatus(node.Document) : null;
        var wanted = IsSilent ? "Unknown" : _newest is null ? stored : "True";
        var isKnown = _object.Current is not null || _newest is not null;
        return isKnown && wanted is not null && (wanted != stored || (_factsUntold && _newest is not null)) ? new Wanted(wanted, _newest, _facts) : null;
    }

    private async Task<bool> WriteAsync(Wanted wanted, CancellationToken stop)
    {
        var facts = _facts;
        var reply = await _object.ChangeAsync(
            current => current is null && wanted.Session is null
                ? new WritePlan.Keep() // deleted, and nothing links: it stays so
                : new WritePlan.Put(wanted.Apply(current?.Document ?? NodeDocument.Create(Name, Uid.New(_random), WallClock.Now(_time)), WallClock.Now(_time)), []),
            static _ => null,
            CommitClass.Request,
            stop);
        if (reply.Result != ObjectResult.Committed)
        {
            _log.NodeNotWritten(Name, reply.Message);
            return false;
        }

        _factsUntold &= !ReferenceEquals(facts, _facts); // told, unless newer ones came meanwhile
        return true;
    }

    /// <summary>Nothing was heard for so long that its Pods are given up, unless the silence is wider than one fault explains.</summary>
    private async Task EndPodsAsync(CancellationToken stop)
    {
        if (_object.Current is null || _silence.Length < NodeLiveness.SilentAfter + NodeLiveness.PodsEndAfter)
        {
            return;
        }

        var pods = _cache.Find(Indexes.PodsByNode, Name);
        var nodes = pods.Count == 0 ? [] : _cache.List("", "Node", null).Items;
        if (NodeLiveness.IsMassSilence(nodes.Count(other => _nodes.Of(other.Key.Name) is { IsSilent: true }), nodes.Count))
        {
            return;
        }

        foreach (var pod in pods)
        {
            var grain = GrainFactory.GetGrain<IPodGrain>($"{pod.Key.Namespace}/{pod.Key.Name}");
            await grain.Write(new ObjectRequest(ObjectVerb.Delete, default, 0, pod.Uid, false, GracePeriodSeconds: 0), stop);
        }
    }

    private sealed record Wanted(string Ready, NodeSession? Session, NodeFacts? Facts)
    {
        public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> document, DateTimeOffset now)
        {
            var told = Session is null || Facts is null ? document : NodeDocument.WithFacts(document, Session, Facts);
            return Ready == "True"
                ? NodeDocument.WithReady(told, Ready, "NodeLinked", "the node is linked to a silo", now)
                : NodeDocument.WithReady(told, Ready, "NodeStatusUnknown", "nothing is heard of the node", now);
        }
    }

    private sealed class ReadOnlyNode : IObjectRules
    {
        public WritePlan Plan(ObjectRequest request, StoredObject? current) => new WritePlan.Refuse(
            Replies.Invalid("metadata.name", "writing Nodes is not in this version: a Node is what its machine says of itself"));

        public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed) => null;
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>The links that end on one silo.</summary>
public sealed class TestLinks : IGatewayLinks
{
    private readonly ConcurrentDictionary<string, IGatewayLink> _links = new();

    public IGatewayLink? Find(string session) => _links.TryGetValue(session, out var link) && !link.Ended.IsCancellationRequested ? link : null;

    public void Add(TestLink link) => Add(link.Session.Gateway, link);

    public void Add(string session, IGatewayLink link) => _links[session] = link;
}

/// <summary>One link session: what the node was told goes into a real routing table, as in the node.</summary>
public sealed class TestLink : IGatewayLink, IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly TestNode _node;
    private ReadOnlyMemory<byte> _certificate = "default"u8.ToArray();

    public TestLink(TestNode node, NodeSession session)
    {
        (_node, Session, Ended) = (node, session, _ended.Token);
    }

    public string NodeName => _node.Name;

    public NodeSession Session { get; }

    /// <summary>Held, as a link of the product does: it is asked for also when the link has ended and was disposed.</summary>
    public CancellationToken Ended { get; }

    public TimeSpan Silence
    {
        get
        {
            Meet();
            return TimeSpan.Zero;
        }
    }

    public ReadOnlyMemory<byte> DefaultCertificate
    {
        get
        {
            Meet();
            return _certificate;
        }
        set => _certificate = value;
    }

    public ConcurrentQueue<string> InventoryRequests { get; } = new();

    /// <summary>What the next use of a member meets, by its name.</summary>
    public ConcurrentDictionary<string, Exception> Faults { get; } = new();

    public Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        if (_ended.IsCancellationRequested)
        {
            throw new LinkEndedException(Session.Gateway);
        }

        Meet();
        _node.Apply(changes, synced);
        return Task.CompletedTask;
    }

    public void RequestInventory(string ns)
    {
        InventoryRequests.Enqueue(ns);
        _node.Asked?.Invoke(ns);
        _node.Nudge();
    }

    public void End() => _ended.Cancel();

    public void Dispose() => _ended.Dispose();

    private void Meet([CallerMemberName] string member = "")
    {
        if (Faults.TryRemove(member, out var fault))
        {
            throw fault;
        }
    }
}

/// <summary>A machine's node as the silos see it: one routing table, whichever link feeds it.</summary>
public sealed class TestNode(string name)
{
    private readonly Lock _lock = new();
    private readonly RoutingTable _table = new(name);
    private TaskCompletionSource _changed = Next();

    public string Name => name;

    /// <summary>Told when a silo asks for the node's inventory of a namespace.</summary>
    public Action<string>? Asked { get; set; }

    public RoutingSnapshot Current
    {
        get
        {
            lock (_lock)
            {
                return _table.Current;
            }
        }
    }

    /// <summary>Every snapshot that this node routed by, oldest first.</summary>
    public ConcurrentQueue<RoutingSnapshot> History { get; } = new();

    public ConcurrentQueue<RoutingChange> Told { get; } = new();

    /// <summary>A new link begins: what is there stays until the control plane has told everything.</summary>
    public void BeginResync()
    {
        lock (_lock)
        {
            _table.BeginResync();
        }
    }

    public void Apply(ImmutableArray<RoutingChange> changes, bool synced)
    {
        lock (_lock)
        {
            foreach (var change in changes)
            {
                Told.Enqueue(change);
                _table.Apply(change);
            }

            if (synced)
            {
                _table.MarkSynced();
            }

            History.Enqueue(_table.Current);
        }

        Nudge();
    }

    /// <summary>What the Agent of this machine says of one of its Pods.</summary>
    public void ApplyLocal(LocalPod pod)
    {
        lock (_lock)
        {
            _table.ApplyLocal(pod);
            History.Enqueue(_table.Current);
        }

        Nudge();
    }

    public void Nudge() => Interlocked.Exchange(ref _changed, Next()).TrySetResult();

    /// <summary>Until the snapshot is as wanted.</summary>
    public async Task<RoutingSnapshot> UntilAsync(Func<RoutingSnapshot, bool> wanted, CancellationToken stop)
    {
        while (true)
        {
            var next = Volatile.Read(ref _changed).Task;
            if (Current is var snapshot && wanted(snapshot))
            {
                return snapshot;
            }

            await next.WaitAsync(stop);
        }
    }

    /// <summary>Until exactly these Pods are the usable endpoints of the Service's first port.</summary>
    public Task<RoutingSnapshot> UntilUsableAsync(NamespacedName service, IReadOnlyCollection<string> pods, CancellationToken stop) =>
        UntilAsync(snapshot => Usable(snapshot, service) is { } usable && usable.Order().SequenceEqual(pods.Order()), stop);

    /// <summary>The Pods behind the Service's first port; null while the Service is unknown or its endpoints are.</summary>
    public static IReadOnlyList<string>? Usable(RoutingSnapshot snapshot, NamespacedName service) =>
        snapshot.Services.TryGetValue(service, out var route) && route.IsSynced
            ? [.. route.Ports[0].Usable.Select(target => target.Endpoint.Pod.Name)]
            : null;

    private static TaskCompletionSource Next() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

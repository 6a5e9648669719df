using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Delivery;
using Mesh.Grains.Placement;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Mesh.Grains.Registry;

/// <summary>
/// Holds one shard's rows and the label subscriptions on them. It comes up with the Pods as stored, and its sets count
/// as whole only when every node that holds some has told how they are, or was silent for 3 s. It ends with its namespace.
/// </summary>
[GrainType("mesh.pod-registry"), AnySiloPlacement, KeepAlive, Reentrant]
public sealed class PodRegistryGrain(IWatchCache cache, ProcessLoops loops, TimeProvider time, Random random, ILogger<PodRegistryGrain> log)
    : Grain, IPodRegistryGrain, IDisposable
{
    /// <summary>How long a node may take to tell its inventory; then its rows stand as stored.</summary>
    public static readonly TimeSpan InventoryWait = TimeSpan.FromSeconds(3);

    // The first comes soon: whoever was woken by a late word of a namespace that is gone is not kept long.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly NodeWords _words = new(time);
    private readonly HashSet<string> _heard = new(StringComparer.Ordinal);
    private TaskCompletionSource _inventory = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RegistryRows _rows = null!;
    private StoredPods _stored = null!;
    private Task _settling = Task.CompletedTask;
    private bool _isFresh;

    private string Key => this.GetPrimaryKeyString();

    private string Namespace => RegistryKeys.NamespaceOf(Key);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _rows = new RegistryRows(new OutboxSettings(
            GrainContext.ActivationId.ToString(), loops, time, random, (receiver, failure) => log.NotAcknowledged(Key, receiver, failure)));
        _stored = new StoredPods(cache, _rows, Namespace, (pod, problem) => log.PodUnreadable(pod.ToString(), problem));
        _isFresh = await cache.WaitForFreshAsync(cancellationToken);
        _stored.Load();
        _settling = loops.RunAsync("pod registry", SettleAsync, _stop.Token);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _settling;
        await _rows.Outboxes.DisposeAsync();
    }

    public Task Apply(PodRow[] rows, CancellationToken stop)
    {
        foreach (var row in rows)
        {
            _rows.Apply(row);
        }

        return Task.CompletedTask;
    }

    public Task<PodRow?> Find(string name, CancellationToken stop) =>
        Task.FromResult(_rows.Find(name) is { IsEnded: false, Order.Liveness: > 0 } row ? row : null);

    public Task Inventory(NodeInventory inventory, CancellationToken stop)
    {
        _rows.Apply(inventory);
        _heard.Add(inventory.NodeName);
        _words.Hear(inventory.NodeName);
        _inventory.TrySetResult();
        return Task.CompletedTask;
    }

    public Task<HeldPodsDigest> DigestOf(string node, CancellationToken stop)
    {
        _words.Hear(node);
        var digest = _rows.DigestOf(node);
        return Task.FromResult(new HeldPodsDigest(digest.Hash, digest.Count));
    }

    public Task<Delta<PodRow>> Subscribe(PodSubscription subscription, CancellationToken stop)
    {
        var service = GrainFactory.GetGrain<IServiceGrain>($"{Namespace}/{subscription.Service}");
        return Task.FromResult(_rows.Subscribe(subscription, (delta, stopSending) => service.OnRows(Key, delta, stopSending)));
    }

    public Task<RenewalAck> Renew(Renewal renewal, CancellationToken stop) => Task.FromResult(_rows.Outboxes.Renew(renewal));

    public Task Unsubscribe(StreamName stream)
    {
        _rows.Outboxes.Unsubscribe(stream);
        return Task.CompletedTask;
    }

    public Task Wake(CancellationToken stop) => EndWithNamespaceAsync(stop);

    public void Dispose() => _stop.Dispose();

    /// <summary>Each step is one that may be done again, as it is when the last run was ended by an exception.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        // A cache that may lag lacks Pods: what is absent from it is unknown, not gone.
        while (!_isFresh)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time, stop);
            var isFresh = await cache.WaitForFreshAsync(stop);
            _stored.Load();
            _isFresh = isFresh;
        }

        await HearNodesAsync();
        _rows.MarkSynced();
        await LookAroundAsync();
    }

    private async Task HearNodesAsync()
    {
        var silent = Silent();
        foreach (var node in silent)
        {
            await HintAsync(node);
        }

        var patience = Task.Delay(InventoryWait, time, _stop.Token);
        while (silent.Count > 0 && !patience.IsCompleted)
        {
            await Task.WhenAny(patience, _inventory.Task);
            _inventory = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            silent = Silent();
        }

        _stop.Token.ThrowIfCancellationRequested();
    }

    private async Task LookAroundAsync()
    {
        for (var wait = FirstLook; ; wait = LookEvery)
        {
            await Task.Delay(wait, time, _stop.Token);
            await EndWithNamespaceAsync(_stop.Token);
            await _stored.CompareAsync(_stop.Token);
            _rows.Sweep();
            foreach (var node in _words.TakeSilent(_rows.Holders()))
            {
                await HintAsync(node);
            }
        }
    }

    /// <summary>A namespace that is gone was empty: nobody needs its rows, and nobody subscribes to them.</summary>
    private async Task EndWithNamespaceAsync(CancellationToken stop)
    {
        if (!IsNamespaceThere() && await cache.WaitForFreshAsync(stop) && !IsNamespaceThere())
        {
            DeactivateOnIdle();
        }

        bool IsNamespaceThere() => cache.Get(Kinds.Namespace(Namespace)) is not null;
    }

    /// <summary>Nodes that hold living rows and have not told this activation their inventory.</summary>
    private HashSet<string> Silent() =>
        [.. _rows.All.Where(row => !row.IsEnded && row.NodeName.Length > 0).Select(row => row.NodeName).Where(node => !_heard.Contains(node))];

    private async Task HintAsync(string node)
    {
        try
        {
            await GrainFactory.GetGrain<INodeGrain>(node).HintRenew(Key);
        }
#pragma warning disable CA1031 // A hint that does not arrive costs 3 s, nothing else.
        catch (Exception failure) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            log.NotHinted(Key, node, failure);
        }
    }
}

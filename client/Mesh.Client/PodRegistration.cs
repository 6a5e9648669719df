using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>
/// Keeps one registration stream open with the node of this machine: the open request is the lease, and the kernel closes it
/// with the process. A broken stream is taken up again by uid, for ever, and no failure of the node is ever thrown at the
/// application.
/// </summary>
public sealed class PodRegistration : IMeshRegistration, IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource<PodIdentity> _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PodStateBoard _state = new();
    private readonly NodeClient _node;
    private readonly DesiredPump _pump;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private CancellationTokenSource _attempt = new();
    private Task _running = Task.CompletedTask;
    private bool _disposed;
    private DateTimeOffset _warned = DateTimeOffset.MinValue;

    private PodRegistration(NodeEndpoint node, MeshOptions options, TimeProvider time, Random random, ILogger log)
    {
        _node = new NodeClient(node, options.NodeUrl);
        _pump = new DesiredPump(PodDesired.From(options, random), TellAsync);
        (_time, _random, _log) = (time, random, log);
    }

    public PodIdentity? Identity { get; private set; }

    public MeshPodState State => _state.Current;

    /// <summary>Completes with the first answer of the node.</summary>
    public Task<PodIdentity> Registered => _registered.Task;

    /// <summary>Makes a registration that <see cref="Begin"/> starts.</summary>
    /// <exception cref="ArgumentException">The options are not usable; the message says which and why.</exception>
    public static PodRegistration Create(MeshOptions options, TimeProvider time, Random random, ILogger log)
    {
        var problems = options.Problems().ToList();
        return problems.Count == 0 && NodeEndpoint.TryParse(options.NodeUrl, out var node)
            ? new PodRegistration(node, options, time, random, log)
            : throw new ArgumentException(string.Join(' ', problems), nameof(options));
    }

    /// <summary>Begins to register, once; returns at once.</summary>
    /// <param name="address">See <see cref="MeshOptions.Address"/>.</param>
    /// <param name="ports">Name and number of each port of the Pod.</param>
    public void Begin(string address, IEnumerable<KeyValuePair<string, int>> ports)
    {
        _pump.Change(desired => desired.At(address, ports));
        _running = Task.WhenAll(RunAsync(_attempt.Token), _pump.RunAsync(_attempt.Token));
    }

    /// <summary>
    /// Begins to register with an address of its own, and returns it. When given up, nothing has begun: the registration can
    /// still be begun in another way.
    /// </summary>
    /// <exception cref="OperationCanceledException">No answer in time.</exception>
    public async Task<PodIdentity> AllocateAsync(IEnumerable<KeyValuePair<string, int>> ports, CancellationToken stop)
    {
        Begin("allocate", ports);
        try
        {
            return await _registered.Task.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            await _attempt.CancelAsync();
            await _running;
            _attempt.Dispose();
            _attempt = new CancellationTokenSource();
            throw;
        }
    }

    public async ValueTask SetReadyAsync(bool ready, string? reason = null, CancellationToken stop = default)
    {
        if (_pump.Desired.Ready != ready)
        {
            await _pump.ChangeAsync(desired => desired with { Ready = ready }, null, stop);
        }
    }

    public async ValueTask PatchMetadataAsync(Action<PodMetadataPatch> patch, CancellationToken stop = default)
    {
        var change = new PodMetadataPatch();
        patch(change);
        await _pump.ChangeAsync(desired => desired.With(change), change, stop);
    }

    public IDisposable AddReadinessGate(string conditionType)
    {
        var gate = new ReadinessGate(_pump, conditionType);
        _pump.Change(desired => desired with { Gates = desired.Gates.Add(gate) });
        return gate;
    }

    public IAsyncEnumerable<MeshPodState> WatchStateAsync(CancellationToken stop = default) => _state.WatchAsync(stop);

    /// <summary>Leaves the routes: completes when this machine routes elsewhere, or when time is up.</summary>
    public async Task DrainAsync(TimeSpan timeout, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await SetReadyAsync(false, "draining", either.Token);
        }
        catch (OperationCanceledException)
        {
            // The time given for draining is over; stopping goes on.
        }

        _state.Set(MeshPodState.Draining);
    }

    /// <summary>Ends the Pod, at most two seconds; the closing connection would end it anyway.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (Identity is { } pod && State is not (MeshPodState.Terminated or MeshPodState.Detached))
        {
            using var limit = new CancellationTokenSource(EndTimeout, _time);
            await _node.DeleteAsync(pod, limit.Token);
        }

        await _attempt.CancelAsync();
        await _running;
        _registered.TrySetCanceled(CancellationToken.None);
        _state.Set(MeshPodState.Terminated);
        _node.Dispose();
        _attempt.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        var delay = FirstRetry;
        while (true)
        {
            var ended = await _node.StreamAsync(_pump.Desired, Identity?.Uid, Observe, stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            Detach(ended);
            if (State == MeshPodState.Terminated)
            {
                return;
            }

            delay = ended.WasOpen ? FirstRetry : delay;
            try
            {
                // Full jitter: a machine's processes do not come back in step.
                await Task.Delay(delay * _random.NextDouble(), _time, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
        }
    }

    /// <summary>One line of the stream.</summary>
    private void Observe(JsonElement pod)
    {
        var identity = RegistrationProtocol.IdentityOf(pod);
        if (RegistrationProtocol.IsDeleting(pod))
        {
            _state.Set(MeshPodState.Draining);
            return;
        }

        var first = Identity is null;
        var again = !first && State == MeshPodState.Detached;
        Identity = identity;
        _state.Set(StateWanted);
        if (first || again)
        {
            _pump.Change(desired => desired); // what changed while the stream was being opened
        }

        if (first)
        {
            _log.Registered(identity.Namespace, identity.Name, identity.Address);
            _registered.TrySetResult(identity);
        }
        else if (again)
        {
            _log.RegisteredAgain(identity.Namespace, identity.Name);
        }
    }

    private void Detach(StreamEnd ended)
    {
        if (ended.WasDeleted && Identity is { } deleted)
        {
            _state.Set(MeshPodState.Terminated);
            _log.Deleted(deleted.Namespace, deleted.Name);
            return;
        }

        if (ended.NameTaken)
        {
            _pump.Change(desired => desired.Renamed(_random));
        }

        Identity = ended.IsNewPod ? null : Identity;
        _state.Set(Identity is null ? MeshPodState.Unregistered : MeshPodState.Detached);
        if (_time.GetUtcNow() - _warned >= WarnEvery)
        {
            _warned = _time.GetUtcNow();
            _log.Detached(_node.Name, ended.Reason);
        }
    }

    private async Task TellAsync(bool ready, PodMetadataPatch? metadata, CancellationToken stop)
    {
        if (Identity is not { } pod || State is MeshPodState.Detached or MeshPodState.Terminated)
        {
            return;
        }

        if (await _node.PatchAsync(pod, ready, metadata, stop) is { } problem)
        {
            _log.PatchFailed(pod.Namespace, pod.Name, problem);
        }

        _state.Set(StateWanted);
    }

    private MeshPodState StateWanted => _pump.Desired.IsReady ? MeshPodState.Ready : MeshPodState.NotReady;

    private sealed class ReadinessGate(DesiredPump pump, string conditionType) : IDisposable
    {
        public override string ToString() => conditionType;

        public void Dispose() => pump.Change(desired => desired with { Gates = desired.Gates.Remove(this) });
    }
}

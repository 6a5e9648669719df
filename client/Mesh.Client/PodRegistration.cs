using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>
/// This process as a Pod: one registration stream is kept open with the node of this machine, and the kernel closes it with the
/// process. A broken stream is taken up again by uid, for ever, and no failure of the node is ever thrown at the application.
/// </summary>
internal sealed class PodRegistration : IMeshPod
{
    /// <summary>The Pod's annotation that tells why it is not ready, or only just; absent while there is nothing to say.</summary>
    public const string ReadinessAnnotation = "mesh.internal/readiness";

    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly NodeClient _node;
    private readonly PodWish _wish;
    private readonly PodStanding _standing;
    private readonly PodStream _stream;
    private readonly PodChanges _changes;
    private readonly PodAllocation _allocation;
    private readonly NodeAnswers _answers = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _nodeUrl;
    private readonly CancellationTokenSource _attempt = new();
    private Task? _running;
    private bool _isDisposed;

    private PodRegistration(NodeEndpoint node, MeshOptions options, TimeProvider time, Random random, ILogger log)
    {
        _node = new NodeClient(node, options.NodeUrl, time);
        _wish = new PodWish(PodDesired.From(options, random) with { AnswersAt = _answers.Name });
        _standing = new PodStanding(options.NodeUrl, time, log);
        _stream = new PodStream(_node, _wish, _standing, options.WhenDeleted, time, random, log);
        _changes = new PodChanges(_node, _wish, _standing, time, log);
        _allocation = new PodAllocation(_node, _wish, _standing, _stream, time, random);
        (_time, _log, _nodeUrl) = (time, log, options.NodeUrl);
    }

    public bool IsEnabled => true;

    public PodIdentity? Identity => _standing.Identity;

    public IReadOnlyDictionary<string, int> Ports => _standing.Identity is null ? new Dictionary<string, int>() : _wish.Desired.Ports.ToDictionary(port => port.Name, port => port.ContainerPort);

    public MeshPodState State => _standing.State.Current;

    public string? LastFailure => _standing.LastFailure;

    public Task<PodIdentity> Registered => _standing.Registered;

    public Task StopRequested => _stream.StopRequested;

    /// <summary>The Services whose ClusterIP this machine serves at a port; none when the node does not tell in time.</summary>
    public Task<IReadOnlyList<MeshService>> ServicesAtAsync(int port, TimeSpan within, CancellationToken stop) => _node.ServicesAtAsync(port, within, stop);

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
        if (_running is not null)
        {
            throw new InvalidOperationException("The registration has begun already.");
        }

        _wish.Change(desired => desired.At(address, ports));
        var stop = _attempt.Token;
        _running = Task.WhenAll(
            ClientLoop.RunAsync("registration stream", _stream.RunAsync, _time, _log, stop),
            ClientLoop.RunAsync("changes of the Pod", _changes.RunAsync, _time, _log, stop),
            // By the pool from the first: whoever registers may have a thread of its own for what is awaited, as a window has.
            Task.Run(() => ClientLoop.RunAsync("answers to the node", _answers.RunAsync, _time, _log, stop), CancellationToken.None));
    }

    /// <summary>
    /// Waits until the process is registered, so long at most, and no longer once the node has refused what it would refuse
    /// again. Null, or in a sentence why it is not, and what helps.
    /// </summary>
    public async Task<string?> FailureAsync(TimeSpan within, CancellationToken stop)
    {
        try
        {
            await Task.WhenAny(Registered, _standing.Refused).WaitAsync(within, _time, stop);
        }
        catch (TimeoutException)
        {
            // What was last heard of the node says more.
        }

        return Registered.IsCompletedSuccessfully ? null
            : _standing.Refused.IsCompletedSuccessfully ? $"the node at {_nodeUrl} refuses to register this process: {await _standing.Refused}"
            : $"the node at {_nodeUrl} did not register this process within {within.TotalSeconds} s: {LastFailure?.TrimEnd('.') ?? "it has not answered yet"}";
    }

    /// <summary>
    /// Registers without ports for an address of its own, and returns with it: bind there, then <see cref="Begin"/> with what
    /// was bound. When given up, nothing has begun: the registration can still be begun in another way.
    /// </summary>
    /// <exception cref="OperationCanceledException">No answer in time.</exception>
    public Task<PodIdentity> AllocateAsync(CancellationToken stop) => _allocation.HoldAsync(stop);

    /// <summary>Gives up what was allocated; the node ends it with its stream.</summary>
    public Task ReleaseAsync() => _allocation.ReleaseAsync();

    public async ValueTask SetReadyAsync(bool ready, string? reason = null, CancellationToken stop = default)
    {
        var desired = _wish.Desired;
        if ((desired.Ready, desired.Reason) != (ready, reason))
        {
            desired = _wish.Change(now => now with { Ready = ready, Reason = reason });
        }

        await _wish.ToldAsync(desired.Version, stop);
    }

    public async ValueTask PatchMetadataAsync(Action<PodMetadataPatch> patch, CancellationToken stop = default)
    {
        var change = new PodMetadataPatch();
        patch(change);
        if (change.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems), nameof(patch));
        }

        await _wish.ToldAsync(_wish.Change(desired => desired.With(change)).Version, stop);
    }

    /// <summary>The same for a change that was checked before; the node is told in time.</summary>
    public void Patch(PodMetadataPatch patch) => _wish.Change(desired => desired.With(patch));

    public IDisposable AddReadinessGate(string conditionType)
    {
        var gate = new ReadinessGate(_wish, conditionType);
        _wish.Change(desired => desired with { Gates = desired.Gates.Add(gate) });
        return gate;
    }

    /// <summary>What is shown of readiness while nothing else is; empty shows nothing.</summary>
    public Task NoteAsync(string note, CancellationToken stop) => _wish.ToldAsync(_wish.Change(desired => desired with { Note = note }).Version, stop);

    public IAsyncEnumerable<MeshPodState> WatchStateAsync(CancellationToken stop = default) => _standing.State.WatchAsync(stop);

    /// <summary>
    /// Leaves the routes, for good: completes when this machine routes elsewhere, or when time is up; with false when there never
    /// were routes. A Pod that was deleted, or whose node is away, may still be routed to by other machines.
    /// </summary>
    public async Task<bool> DrainAsync(TimeSpan timeout, CancellationToken stop)
    {
        var drained = _wish.Change(desired => desired with { IsDraining = true });
        if (State is MeshPodState.Ready or MeshPodState.NotReady)
        {
            _standing.State.Set(MeshPodState.Draining);
        }

        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await _wish.ToldAsync(drained.Version, either.Token);
        }
        catch (OperationCanceledException)
        {
            // Time is up; who still routes here has until the server closes.
        }

        return Registered.IsCompletedSuccessfully;
    }

    /// <summary>Ends the Pod, at most two seconds; the closing connection would end it anyway.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _stream.Ending();
        if (_standing.Pod is { } pod && State is not (MeshPodState.Terminated or MeshPodState.Detached))
        {
            await _node.DeleteAsync(pod, EndTimeout);
        }

        await _attempt.CancelAsync();
        await (_running ?? Task.CompletedTask);
        await _allocation.DisposeAsync();
        _wish.Closed();
        _standing.End();
        _stream.End();
        _node.Dispose();
        _answers.Dispose();
        _attempt.Dispose();
    }

    private sealed class ReadinessGate(PodWish wish, string conditionType) : IDisposable
    {
        public override string ToString() => conditionType;

        public void Dispose() => wish.Change(desired => desired with { Gates = desired.Gates.Remove(this) });
    }
}

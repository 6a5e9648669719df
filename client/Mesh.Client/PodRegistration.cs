using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>
/// Keeps one registration stream open with the node of this machine: the open request is the lease, and the kernel closes it
/// with the process. A broken stream is taken up again by uid, for ever, and no failure of the node is ever thrown at the
/// application.
/// </summary>
public sealed class PodRegistration : IMeshRegistration, IAsyncDisposable
{
    /// <summary>The Pod's annotation that tells why it is not ready, or only just; absent while there is nothing to say.</summary>
    public const string ReadinessAnnotation = "mesh/readiness";

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);

    /// <summary>A restarted node waits ten seconds for its Pods' streams to come back.</summary>
    private static readonly TimeSpan LastRetryOfPod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly PodStateBoard _state = new();
    private readonly NodeClient _node;
    private readonly PodWish _wish;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly TaskCompletionSource<PodIdentity> _registered = NewAnswer();
    private readonly CancellationTokenSource _attempt = new();
    private readonly CancellationTokenSource _allocating = new();
    private Task? _allocation; // ends when the first stream of Begin takes the Pod over
    private Task? _running;
    private readonly TaskCompletionSource _deleted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MeshDeletion _whenDeleted;
    private volatile PodIdentity? _identity;
    private volatile bool _isEnding;
    private bool _isDisposed;
    private long? _warned;

    private PodRegistration(NodeEndpoint node, MeshOptions options, TimeProvider time, Random random, ILogger log)
    {
        _node = new NodeClient(node, options.NodeUrl, time);
        _wish = new PodWish(PodDesired.From(options, random));
        (_time, _random, _log, _whenDeleted) = (time, random, log, options.WhenDeleted);
    }

    public PodIdentity? Identity => _identity;

    public MeshPodState State => _state.Current;

    /// <summary>Why the last attempt to register failed; null while there is a stream, or none was tried.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Completes with the first answer of the node.</summary>
    public Task<PodIdentity> Registered => _registered.Task;

    /// <summary>Completes when the Pod was deleted through the API, and the host is to stop with it (<see cref="MeshDeletion.Stop"/>).</summary>
    public Task StopAsked => _deleted.Task;

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
        _running = Task.WhenAll(StreamAsync(stop), TellAsync(stop));
    }

    /// <summary>
    /// Registers without ports for an address of its own, and returns with it: bind there, then <see cref="Begin"/> with what
    /// was bound. When given up, nothing has begun: the registration can still be begun in another way.
    /// </summary>
    /// <exception cref="OperationCanceledException">No answer in time.</exception>
    public async Task<PodIdentity> AllocateAsync(CancellationToken stop)
    {
        _wish.Change(desired => desired.At(MeshOptions.AllocateAddress, []));
        var delay = FirstRetry;
        while (true)
        {
            var answer = NewAnswer();
            var stream = _node.StreamAsync(_wish.Desired with { Ready = false }, uid: null, pod => answer.TrySetResult(pod.Identity), _allocating.Token);
            _allocation = stream;
            try
            {
                await Task.WhenAny(answer.Task, stream).WaitAsync(stop);
                if (answer.Task.IsCompleted)
                {
                    return _identity = await answer.Task;
                }

                IsTriedAgain(await stream);
                await Task.Delay(delay * _random.NextDouble(), _time, stop);
                delay *= 2;
            }
            catch (OperationCanceledException)
            {
                await ReleaseAsync();
                throw;
            }
        }
    }

    /// <summary>Gives up what was allocated; the node ends it with its stream.</summary>
    public async Task ReleaseAsync()
    {
        await _allocating.CancelAsync();
        await (_allocation ?? Task.CompletedTask);
        _identity = null;
    }

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

    public IDisposable AddReadinessGate(string conditionType)
    {
        var gate = new ReadinessGate(_wish, conditionType);
        _wish.Change(desired => desired with { Gates = desired.Gates.Add(gate) });
        return gate;
    }

    public IAsyncEnumerable<MeshPodState> WatchStateAsync(CancellationToken stop = default) => _state.WatchAsync(stop);

    /// <summary>
    /// Leaves the routes, for good: completes with true when this machine routes elsewhere; with false when it had no routes,
    /// or when time is up.
    /// </summary>
    public async Task<bool> DrainAsync(TimeSpan timeout, CancellationToken stop)
    {
        var wasRegistered = State is MeshPodState.Ready or MeshPodState.NotReady;
        var drained = _wish.Change(desired => desired with { IsDraining = true });
        if (wasRegistered)
        {
            _state.Set(MeshPodState.Draining);
        }

        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await _wish.ToldAsync(drained.Version, either.Token);
            return wasRegistered;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Ends the Pod, at most two seconds; the closing connection would end it anyway.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        (_isDisposed, _isEnding) = (true, true);
        if (_identity is { } pod && State is not (MeshPodState.Terminated or MeshPodState.Detached))
        {
            await _node.DeleteAsync(pod, EndTimeout);
        }

        await _attempt.CancelAsync();
        await _allocating.CancelAsync();
        await (_running ?? Task.CompletedTask);
        await (_allocation ?? Task.CompletedTask);
        _registered.TrySetCanceled(CancellationToken.None);
        _wish.Closed();
        _state.Set(MeshPodState.Terminated);
        _node.Dispose();
        _attempt.Dispose();
        _allocating.Dispose();
    }

    /// <summary>One stream after the other, until the Pod was deleted.</summary>
    private async Task StreamAsync(CancellationToken stop)
    {
        var delay = FirstRetry;
        while (true)
        {
            var desired = _wish.Desired;
            var wasOpen = false;
            var end = await _node.StreamAsync(desired, _identity?.Uid, pod => wasOpen = Observe(pod, desired, isFirst: !wasOpen), stop);
            _wish.Closed();
            if (stop.IsCancellationRequested || !IsTriedAgain(end))
            {
                return;
            }

            delay = end is StreamEnd.Refused ? LastRetry : wasOpen ? FirstRetry : delay;
            try
            {
                // Full jitter: a machine's processes do not come back in step.
                await Task.Delay(delay * _random.NextDouble(), _time, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var last = _identity is null ? LastRetry : LastRetryOfPod;
            delay = delay * 2 < last ? delay * 2 : last;
        }
    }

    /// <summary>One line of the stream; true.</summary>
    private bool Observe(RegistrationProtocol.Line.Pod pod, PodDesired told, bool isFirst)
    {
        var before = _identity;
        _identity = pod.Identity;
        var isLeaving = pod.IsDeleting || _wish.Desired.IsDraining;
        _state.Set(isLeaving ? MeshPodState.Draining : pod.IsReady ? MeshPodState.Ready : MeshPodState.NotReady);
        if (!isFirst)
        {
            return true;
        }

        LastFailure = null;
        _wish.Opened(told, pod.Identity.Address);
        if (_registered.TrySetResult(pod.Identity))
        {
            _log.Registered(pod.Identity.Namespace, pod.Identity.Name, pod.Identity.Address);
        }
        else if (before?.Uid == pod.Identity.Uid)
        {
            _log.StreamResumed(pod.Identity.Namespace, pod.Identity.Name);
        }
        else
        {
            _log.RegisteredAgain(pod.Identity.Namespace, pod.Identity.Name, pod.Identity.Address);
        }

        return true;
    }

    private bool IsTriedAgain(StreamEnd end)
    {
        switch (end)
        {
            case StreamEnd.Deleted:
                return IsRegisteredAnew();
            case StreamEnd.Conflict(var reason):
                _identity = null;
                _wish.Change(desired => desired.Renamed(_random));
                Detach(_wish.Desired.IsNameMade ? reason : NameOrAddress(reason));
                return true;
            case StreamEnd.Lost(var reason):
                Detach(reason);
                return true;
            case StreamEnd.Refused(var reason):
                Detach(reason);
                return true;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The Pod was deleted: by this process on its way out, or by somebody else, and then it is as the options say.</summary>
    private bool IsRegisteredAnew()
    {
        if (_isEnding || _wish.Desired.IsDraining || _identity is not { } deleted)
        {
            _state.Set(MeshPodState.Terminated);
            return false;
        }

        _log.Deleted(deleted.Namespace, deleted.Name, _whenDeleted switch
        {
            MeshDeletion.Stay => "this process no longer takes traffic through Mesh (MESH_WHEN_DELETED=stop would end it, =register register it again)",
            MeshDeletion.Stop => "this host stops, as MESH_WHEN_DELETED says",
            MeshDeletion.Register => "it is registered again, as MESH_WHEN_DELETED says",
            _ => throw new UnreachableException(),
        });
        if (_whenDeleted == MeshDeletion.Register)
        {
            // Under its name, which its traces have too; one that a finalizer still holds is a conflict, and that renames.
            _identity = null;
            _state.Set(MeshPodState.Unregistered);
            return true;
        }

        _state.Set(MeshPodState.Terminated);
        if (_whenDeleted == MeshDeletion.Stop)
        {
            _deleted.TrySetResult();
        }

        return false;
    }

    /// <summary>The node's advice is for curl, whose user would take the stream over.</summary>
    private static string NameOrAddress(string reason) => reason.StartsWith("address:", StringComparison.Ordinal)
        ? reason
        : $"{reason.Split(';')[0].TrimEnd('.')}; choose another MESH_POD_NAME, or none: then a name is made";

    private void Detach(string reason)
    {
        LastFailure = reason;
        _state.Set(_identity is null ? MeshPodState.Unregistered : MeshPodState.Detached);
        if (_warned is not { } warned || _time.GetElapsedTime(warned) >= WarnEvery)
        {
            _warned = _time.GetTimestamp();
            _log.Detached(_node.Name, reason);
        }
    }

    /// <summary>Tells the node what changes while a stream is open.</summary>
    private async Task TellAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var (told, desired) = await _wish.UntoldAsync(stop);
                if (_identity is not { } pod || !await IsSettledAsync(pod, told, desired, stop))
                {
                    await Task.Delay(FirstRetry, _time, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The registration ends.
        }
    }

    private async Task<bool> IsSettledAsync(PodIdentity pod, PodDesired told, PodDesired desired, CancellationToken stop)
    {
        switch (await _node.PatchAsync(pod, desired.ChangesSince(told), stop))
        {
            case PatchOutcome.Taken:
                _wish.Told(told, desired);
                return true;
            case PatchOutcome.Refused(var reason):
                _log.ChangeRefused(pod.Namespace, pod.Name, reason);
                _wish.Told(told, desired);
                return true;
            case PatchOutcome.Failed:
                return false; // a stream that is gone says so itself
            default:
                throw new UnreachableException();
        }
    }

    private static TaskCompletionSource<PodIdentity> NewAnswer() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class ReadinessGate(PodWish wish, string conditionType) : IDisposable
    {
        public override string ToString() => conditionType;

        public void Dispose() => wish.Change(desired => desired with { Gates = desired.Gates.Remove(this) });
    }
}

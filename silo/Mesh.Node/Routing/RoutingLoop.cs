using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Mesh.Agent;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Listening;
using Mesh.NodeLink;

namespace Mesh.Node.Routing;

/// <summary>
/// The one loop that owns this machine's snapshot: applies what the silo tells and what the Agent knows, publishes, and
/// tells the listeners which Services changed, or that a certificate did. Each caller is answered when the published snapshot has its change.
/// </summary>
internal sealed class RoutingLoop(
    Published<RoutingSnapshot> routes,
    Action<ImmutableArray<NamespacedName>> changed,
    Action<ClaimedPlaces> claimed,
    IPortProblems problems,
    TimeProvider time,
    ILogger<RoutingLoop> log)
    : ILocalRouting, IFrontendPlaces, IDisposable
{
    // Changes applied between two looks at the Agent's queue: a death on this machine waits for no long message.
    private const int LongestSlice = 256;
    private const int LongestQueue = 1024;
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    private readonly Channel<Work> _local = Bounded();
    private readonly Channel<Work> _told = Bounded();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Dictionary<(NamespacedName Service, IPEndPoint Place), PortProblem> _notAllowed = [];
    private RoutingTable _table = new("");
    private ClaimedPlaces _claimed = ClaimedPlaces.None;

    /// <summary>Whose endpoints the Agent's word decides on. Empty before the first options.</summary>
    public string NodeName => Volatile.Read(ref _table).NodeName;

    public RoutingSnapshot Current => routes.Current;

    public ValueTask ApplyAsync(LocalPod pod, CancellationToken stop) => AskAsync(_local, () => _table.ApplyLocal(pod), stop);

    public ValueTask ForgetAsync(string uid, CancellationToken stop) => AskAsync(_local, () => _table.ForgetLocal(uid), stop);

    /// <summary>A link begins (or the journal is read): everything is told again, to the first synced change.</summary>
    public ValueTask BeginResyncAsync(NodeOptions options, CancellationToken stop) =>
        AskAsync(
            _told,
            () =>
            {
                // The first options name the node; nothing was routed before. A node that is renamed is started anew.
                if (NodeName.Length == 0)
                {
                    Volatile.Write(ref _table, new RoutingTable(options.NodeName));
                }

                _table.Apply(options.ForEndpoints(ListenAddresses.OfThisMachine()));
                _table.BeginResync();
            },
            stop);

    public async ValueTask ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        foreach (var slice in changes.Chunk(LongestSlice))
        {
            await AskAsync(_told, () => Apply(slice), stop);
        }

        if (synced)
        {
            await AskAsync(_told, () => _table.MarkSynced(), stop);
        }
    }

    public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> FindEndpointsAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) =>
        AskAsync(places, place => _table.EndpointAt(place), stop);

    public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> ClaimAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) =>
        AskAsync(places, place => _table.Claim(place), stop);

    public ValueTask ReleaseAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) =>
        AskAsync(_local, () => _table.Release(places), stop);

    /// <summary>
    /// Runs until stopped; the last snapshot stays published. A change that throws is its caller's. Where publishing throws,
    /// nobody knows who was told of what: that ends the loop, and nobody waits for it.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var done = new List<TaskCompletionSource>();
        var nextSweep = time.GetTimestamp();
        try
        {
            while (true)
            {
                await _wake.WaitAsync(stop);
                // The Agent first: it knows best what lives on this machine.
                if (_local.Reader.TryRead(out var work) || _told.Reader.TryRead(out work))
                {
                    Do(work, done);
                }

                if (time.GetElapsedTime(nextSweep) > SweepEvery)
                {
                    _table.SweepTombstones();
                    nextSweep = time.GetTimestamp();
                }

                if (_wake.CurrentCount == 0 || done.Count >= LongestSlice)
                {
                    Publish(done);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Publish(done);
        }
        finally
        {
            Refuse(_local);
            Refuse(_told);
            foreach (var answer in done)
            {
                answer.TrySetCanceled(CancellationToken.None);
            }
        }
    }

    public void Dispose() => _wake.Dispose();

    private void Do(Work work, List<TaskCompletionSource> done)
    {
        try
        {
            work.Apply();
            done.Add(work.Done);
        }
#pragma warning disable CA1031 // The boundary between who asks and the loop that everybody asks: it goes on with the next.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            log.ChangeFailed(failure);
            work.Done.TrySetException(failure);
        }
    }

    private static Channel<Work> Bounded() => Channel.CreateBounded<Work>(LongestQueue);

    private static void Refuse(Channel<Work> channel)
    {
        channel.Writer.TryComplete();
        while (channel.Reader.TryRead(out var work))
        {
            work.Done.TrySetCanceled();
        }
    }

    private async ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> AskAsync(
        ImmutableArray<IPEndPoint> places, Func<IPEndPoint, EndpointPlace?> ask, CancellationToken stop)
    {
        var answer = new Dictionary<IPEndPoint, EndpointPlace>();
        await AskAsync(
            _local,
            () =>
            {
                foreach (var place in places)
                {
                    if (ask(place) is { } endpoint)
                    {
                        answer[place] = endpoint;
                    }
                }
            },
            stop);
        return answer;
    }

    private async ValueTask AskAsync(Channel<Work> channel, Action apply, CancellationToken stop)
    {
        var work = new Work(apply, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await channel.Writer.WriteAsync(work, stop);
        }
        catch (ChannelClosedException)
        {
            throw new OperationCanceledException("the node is stopping");
        }

        _wake.Release();
        await work.Done.Task.WaitAsync(stop);
    }

    private void Apply(IEnumerable<RoutingChange> changes)
    {
        foreach (var change in changes)
        {
            try
            {
                _table.Apply(change);
            }
            catch (FormatException unreadable)
            {
                // One bad object must not keep a machine from all others.
                log.ChangeUnreadable(change.GetType().Name, unreadable.Message);
            }
#pragma warning disable CA1031 // The same: the silo would tell it again with everything else, for ever.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                log.ChangeFailed(failure);
            }
        }
    }

    private void Publish(List<TaskCompletionSource> done)
    {
        var before = routes.Current.Tls;
        routes.TryPublish(_table.Current);
        var services = _table.TakeChanged();
        if (!services.IsEmpty || !ReferenceEquals(before, _table.Current.Tls))
        {
            changed(services);
        }

        if (_claimed != _table.Claimed)
        {
            claimed(_claimed = _table.Claimed);
        }

        foreach (var (endpoint, place, isRefused) in _table.TakeRefused())
        {
            if (isRefused)
            {
                var problem = new PortProblem.EndpointNotAllowed(place, endpoint.Pod);
                _notAllowed[(endpoint.Service, place)] = problem;
                problems.Report(endpoint.Service, problem);
            }
            else if (_notAllowed.Remove((endpoint.Service, place), out var problem))
            {
                problems.Solved(problem);
            }
        }

        foreach (var answer in done)
        {
            answer.TrySetResult();
        }

        done.Clear();
    }

    private sealed record Work(Action Apply, TaskCompletionSource Done);
}

using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Activations;
using Mesh.Grains.Events;
using Mesh.Grains.Nodes;
using Mesh.Grains.Objects;
using Mesh.Grains.Projections;
using Mesh.Grains.Registry;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Mesh.Grains.Pods;

/// <summary>
/// Owns one Pod object, the newest word of its node, and its row at the registry. A registration is committed before it
/// is acknowledged; readiness and an end are published first and written after. A Pod to which nothing happens has no
/// activation: the registry holds its row with its node's newest word, and the store the rest.
/// </summary>
[GrainType("mesh.pod"), PreferLocalPlacement, Reentrant, CollectionAgeLimit(Minutes = IdleMinutes)]
public sealed class PodGrain : Grain, IPodGrain, IDisposable
{
    /// <summary>Without a call for so long, the activation goes.</summary>
    public const int IdleMinutes = 2;

    private readonly NamespacedName _name;
    private readonly EventRecorder _events;
    private readonly IWatchCache _cache;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PodRules _rules;
    private readonly PodRegistration _registration;
    private readonly OwnedObject _object;
    private readonly EndedPods _ended = new();
    private readonly PublishedRow _published;
    private readonly Projection _projection;
    private readonly WantedStatus _wanted;
    private readonly ActivationHold _hold;
    private readonly ReportCommits _commits;
    private PodLife? _life;

    public PodGrain(
        IGrainContext context,
        IObjectStore store,
        IWatchCache cache,
        KnownNodes nodes,
        IOptions<GrainOptions> options,
        EndpointRule rule,
        ProjectionPace pace,
        EventRecorder events,
        ProcessLoops loops,
        TimeProvider time,
        Random random,
        ILogger<PodGrain> log)
    {
        var key = context.GrainId.Key.ToString();
        _name = NamespacedName.TryParse(key, out var name) ? name : throw new ArgumentException($"'{key}' is not the key of a Pod.", nameof(context));
        (_events, _cache, _time, _log) = (events, cache, time, log);
        _rules = new PodRules(cache, nodes, rule, options.Value.NodeName, time, random);
        _registration = new PodRegistration(_name, _rules, time);
        _published = new PublishedRow(_name.Name, () => GrainFactory.Keyed<IPodRegistryGrain>(RegistryKeys.Of(_name.Namespace)));
        _object = new OwnedObject(Kinds.Pod(_name), store, cache, new FinalizedRules(_rules, time));
        _wanted = new WantedStatus(cache, nodes);
        _hold = new ActivationHold(this);
        _commits = new ReportCommits(CommitAsync);
        _projection = new Projection(
            new ShownStatus(_object, _wanted, _ended, time, () => _life), pace, loops, time, random, reason => log.ProjectionFailed(key, reason), _hold.Set);
    }

    public async Task<PodReportReply?> Observe(PodReport report, CancellationToken stop)
    {
        try
        {
            _object.Look();
            return await HearAsync(report, isFresh: false, stop);
        }
        catch (Exception problem) when (problem is OrleansException or TimeoutException)
        {
            return PodRegistration.Retry(problem.Message);
        }
    }

    public async Task<PodReportReply> Report(PodReport report, CancellationToken stop)
    {
        try
        {
            await _object.ReadAsync(0, stop);
            var heard = await HearAsync(report, isFresh: false, stop);
            if (heard is null && (report.IsEnded || !report.IsRegistered))
            {
                heard = await _object.ReadFreshAsync(stop)
                    ? await HearAsync(report, isFresh: true, stop)
                    : PodRegistration.Retry("the store does not say whether the Pod is stored");
            }

            return heard is { Result: not PodReportResult.Heard } told ? told : await _commits.Of(report).WaitAsync(stop);
        }
        catch (Exception problem) when (problem is StoreUnavailableException or CommitOutcomeUnknownException or OrleansException or TimeoutException)
        {
            return PodRegistration.Retry(problem.Message);
        }
    }

    public async Task<ObjectReply> Write(ObjectRequest request, CancellationToken stop)
    {
        var before = await _object.ReadAsync(0, stop);
        var reply = await _object.WriteAsync(request, stop);
        if (!request.DryRun && reply.Result is ObjectResult.Committed or ObjectResult.DeletionStarted)
        {
            try
            {
                await (_object.Current is null && before is not null // deleted, or updated so that its last finalizer is gone
                    ? _published.TellEndedAsync(before with { ResourceVersion = reply.ResourceVersion }, _life, 0, stop)
                    : PublishAsync(stop));
            }
            catch (Exception problem) when (problem is OrleansException or TimeoutException)
            {
                _log.PodNotPublished(_name, problem); // the Keeper, which follows the log, asks again
            }
        }

        return reply;
    }

    public async Task Reconcile(long version, CancellationToken stop)
    {
        if (await _object.ReadAsync(version, stop) is not { } current)
        {
            var isWanted = _cache.Get(Kinds.Namespace(_name.Namespace)) is not null; // a registry ends with its namespace
            await (isWanted ? _published.TellAbsentAsync(version, stop) : Task.CompletedTask);
            return;
        }

        if (_life is null && _wanted.IsSilenceOver(current) && await _published.FindAsync(stop) is { } row)
        {
            _life ??= PodLife.Of(row, current); // this activation came after its node fell silent, which is heard of again
        }

        await PublishAsync(stop);
        _projection.Mark();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => await _projection.DisposeAsync();

    public void Dispose()
    {
        _hold.Dispose();
        _object.Dispose();
    }

    /// <summary>What needs no commit: nothing here waits for one.</summary>
    /// <param name="isFresh">Whoever is not known now is not stored; else this silo's cache may lack what another silo has written.</param>
    private async Task<PodReportReply?> HearAsync(PodReport report, bool isFresh, CancellationToken stop)
    {
        if (report.IsEnded)
        {
            return await HearEndAsync(report, isFresh, stop);
        }

        if (_ended.Contains(report.Uid))
        {
            return Accepted(); // older than the end of its Pod
        }

        var current = _object.Current;
        if (current is null || current.Uid != report.Uid || (!report.IsRegistered && PodDocument.NodeName(current.Document) != report.NodeName))
        {
            // A manifest Pod's object is gone, or another node's by now.
            return report.IsRegistered || _object.IsUnknown || !isFresh ? null : Accepted();
        }

        await HearLifeAsync(report, stop);
        return !report.IsRegistered || RegisteredPod.Shown(current.Document).Version >= report.RegistrationVersion ? Accepted() : Reply(PodReportResult.Heard);
    }

    /// <summary>Takes the node's word on a Pod that is stored: published first, shown after.</summary>
    /// <param name="parsed">The Pod as stored, when it is known already.</param>
    private async Task HearLifeAsync(PodReport report, CancellationToken stop, Pod? parsed = null)
    {
        if (_life is not null && _life.IsNewerThan(report))
        {
            return;
        }

        var isRepeated = _life is { } life && (life.Uid, life.Liveness) == (report.Uid, report.Liveness);
        _life = PodLife.Of(report);
        await PublishAsync(stop, parsed);
        _projection.Mark();
        if (!isRepeated && report is { IsReady: false, Reason: PodReasons.Unhealthy or PodReasons.ProcessAwaited } && _object.Current is { } pod)
        {
            _events.Record(pod, isWarning: true, PodReasons.Unhealthy, $"Readiness probe failed: {report.Message}");
        }
    }

    private async Task<PodReportReply?> HearEndAsync(PodReport report, bool isFresh, CancellationToken stop)
    {
        if (_object.Current is not { } current || current.Uid != report.Uid)
        {
            if (!_object.IsChanging)
            {
                return isFresh || _ended.Contains(report.Uid) ? Accepted() : null;
            }

            _ended.Add(report); // its registration may be on its way to the store
            return Reply(PodReportResult.Heard);
        }

        if (PodLife.Known(_life, current) > report.Liveness)
        {
            return Accepted();
        }

        if (!_ended.Contains(report.Uid) && !PodDocument.IsTerminal(current.Document))
        {
            _events.Record(current, isWarning: !PodEnd.IsAskedFor(report), "RegistrationEnded", report.Message);
        }

        _ended.Add(report);
        await _published.TellEndedAsync(current, _life, report.Liveness, stop);
        return Reply(PodReportResult.Heard);
    }

    private Task<PodReportReply> CommitAsync(PodReport report) => report switch
    {
        { IsEnded: true } => EndAsync(report),
        { IsRegistered: true } => RegisterAsync(report),
        _ => Task.FromResult(PodRegistration.Retry("what became of its object is not known yet")),
    };

    private async Task<PodReportReply> RegisterAsync(PodReport report)
    {
        if (_registration.Problem(report) is { } problem)
        {
            return new PodReportReply(PodReportResult.Invalid, 0, 0, problem);
        }

        Pod? planned = null;
        if (_object.Current is { } other && PodRegistration.IsSucceeded(other, PodLife.Known(_life, other), report))
        {
            if (_registration.Plan(report, null, out planned) is WritePlan.Refuse invalid)
            {
                return new PodReportReply(PodReportResult.Invalid, 0, 0, invalid.Reply.Message);
            }

            var end = PodRegistration.EndOf(other, PodLife.Known(_life, other), report);
            await HearEndAsync(end, isFresh: false, CancellationToken.None);
            if (await EndAsync(end) is { Result: not PodReportResult.Accepted } refused)
            {
                return refused;
            }
        }

        var reply = await _object.ChangeAsync(
            current => _ended.Contains(report.Uid) ? new WritePlan.Keep() : _registration.Plan(report, current, out planned),
            static _ => null,
            CommitClass.Request,
            CancellationToken.None);
        if (_ended.Contains(report.Uid))
        {
            return Accepted(); // it ended meanwhile
        }

        if (reply.Result == ObjectResult.Committed)
        {
            await HearLifeAsync(report, CancellationToken.None, reply.ResourceVersion == _object.Current?.ResourceVersion ? planned : null);
            return Accepted();
        }

        return PodRegistration.Refused(reply);
    }

    private async Task<PodReportReply> EndAsync(PodReport report)
    {
        var reply = await _object.ChangeAsync(
            now => PodEnd.Plan(report, now, WallClock.Now(_time)), static _ => null, CommitClass.Request, CancellationToken.None);
        if (reply.Result is ObjectResult.Committed or ObjectResult.NotFound)
        {
            return Accepted();
        }

        _projection.Mark(); // whoever told of it may not come again
        return PodRegistration.Retry(reply.Message);
    }

    private Task PublishAsync(CancellationToken stop, Pod? parsed = null) =>
        _object.Current is { } current && !_ended.Contains(current.Uid) ? _published.TellAsync(current, _life, parsed, stop) : Task.CompletedTask;

    private PodReportReply Accepted() => Reply(PodReportResult.Accepted);

    private PodReportReply Reply(PodReportResult result) => new(result, _object.Current?.CreatedVersion ?? 0, _object.Current?.ResourceVersion ?? 0, "");
}

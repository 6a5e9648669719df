using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Events;
using Mesh.Grains.Nodes;
using Mesh.Grains.Objects;
using Mesh.Grains.Projections;
using Mesh.Grains.Registry;
using Mesh.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Mesh.Grains.Pods;

/// <summary>
/// Owns one Pod object, the newest word of its node, and its row at the registry. A registration is committed before it
/// is acknowledged; readiness and an end are published first and written after.
/// </summary>
[GrainType("mesh.pod"), PreferLocalPlacement, Reentrant]
public sealed class PodGrain : Grain, IPodGrain, IDisposable
{
    private readonly NamespacedName _name;
    private readonly EventRecorder _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PodRules _rules;
    private readonly PodRegistration _registration;
    private readonly OwnedObject _object;
    private readonly EndedUids _ended = new();
    private readonly Projection _projection;
    private PodLife? _life;
    private PodRow? _published;
    private (string Uid, long Version, PodLife? Life) _told;

    public PodGrain(
        IGrainContext context,
        IObjectStore store,
        IWatchCache cache,
        KnownNodes nodes,
        IOptions<GrainOptions> options,
        EndpointRule rule,
        ProjectionPace pace,
        EventRecorder events,
        TimeProvider time,
        Random random,
        ILogger<PodGrain> log)
    {
        var key = context.GrainId.Key.ToString();
        _name = NamespacedName.TryParse(key, out var name) ? name : throw new ArgumentException($"'{key}' is not the key of a Pod.", nameof(context));
        (_events, _time, _log) = (events, time, log);
        _rules = new PodRules(cache, nodes, rule, options.Value.NodeName, time, random);
        _registration = new PodRegistration(_name, _rules, time);
        _object = new OwnedObject(Kinds.Pod(_name), store, cache, new FinalizedRules(_rules, time));
        _projection = new Projection(new ShownStatus(_object, _rules, _ended, cache, time, () => _life), pace, time, random, reason => log.ProjectionFailed(key, reason));
    }

    private IPodRegistryGrain Registry => GrainFactory.Keyed<IPodRegistryGrain>(RegistryKeys.Of(_name.Namespace));

    public async Task<PodReportReply> Report(PodReport report, CancellationToken stop)
    {
        try
        {
            await _object.ReadAsync(0, stop);
            return report switch
            {
                { IsEnded: true } => await EndAsync(report, stop),
                _ when _ended.Contains(report.Uid) => Accepted(), // older than the end of its Pod
                { IsRegistered: true } => await RegisteredAsync(report, stop),
                _ => await ManifestAsync(report, stop),
            };
        }
        catch (Exception problem) when (problem is StoreUnavailableException or CommitOutcomeUnknownException or OrleansException or TimeoutException)
        {
            return new PodReportReply(PodReportResult.Retry, 0, 0, problem.Message);
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
                // Deleted, or updated so that its last finalizer is gone.
                var gone = _object.Current is null ? before : null;
                await PublishAsync(gone is null ? null : gone with { ResourceVersion = reply.ResourceVersion }, stop);
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
        if (await _object.ReadAsync(version, stop) is null && _published is not { IsEnded: true })
        {
            (_published, _told) = (PodRowOf.Absent(_name.Name, version), default);
            await Registry.Apply([_published], stop);
            return;
        }

        await PublishAsync(null, stop);
        _projection.Mark();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => await _projection.DisposeAsync();

    public void Dispose() => _object.Dispose();

    private async Task<PodReportReply> RegisteredAsync(PodReport report, CancellationToken stop)
    {
        // Most reports tell of readiness only. Nothing of that is committed first, so it waits for no commit under way.
        if (_object.Current is { } known && known.Uid == report.Uid && RegisteredPod.Shown(known.Document).Version >= report.RegistrationVersion)
        {
            return await HearAsync(report, stop);
        }

        if (_registration.Problem(report) is { } problem)
        {
            return new PodReportReply(PodReportResult.Invalid, 0, 0, problem);
        }

        Pod? planned = null;
        if (_object.Current is { } other && PodRegistration.IsSucceeded(other, Known(other), report))
        {
            if (_registration.Plan(report, null, out planned) is WritePlan.Refuse invalid)
            {
                return new PodReportReply(PodReportResult.Invalid, 0, 0, invalid.Reply.Message);
            }

            if (await EndAsync(PodRegistration.EndOf(other, Known(other), report), stop) is { Result: not PodReportResult.Accepted } refused)
            {
                return refused;
            }
        }

        var reply = await _object.ChangeAsync(current => _registration.Plan(report, current, out planned), static _ => null, CommitClass.Request, stop);
        return reply.Result switch
        {
            ObjectResult.Committed => await HearAsync(report, stop, reply.ResourceVersion == _object.Current?.ResourceVersion ? planned : null),
            ObjectResult.AlreadyExists => new PodReportReply(PodReportResult.Conflict, 0, 0, reply.Message),
            ObjectResult.NamespaceNotFound or ObjectResult.NamespaceTerminating =>
                new PodReportReply(PodReportResult.NamespaceNotActive, 0, 0, reply.Message),
            ObjectResult.Invalid => new PodReportReply(PodReportResult.Invalid, 0, 0, reply.Message),
            _ => new PodReportReply(PodReportResult.Retry, 0, 0, reply.Message),
        };
    }

    private Task<PodReportReply> ManifestAsync(PodReport report, CancellationToken stop) =>
        _object.Current is { } current && current.Uid == report.Uid && PodDocument.NodeName(current.Document) == report.NodeName
            ? HearAsync(report, stop)
            : Task.FromResult(Accepted()); // of an object that is gone, or another node's by now

    /// <summary>Takes the node's word on a Pod that is stored: published first, shown after.</summary>
    /// <param name="parsed">The Pod as stored, when it is known already.</param>
    private async Task<PodReportReply> HearAsync(PodReport report, CancellationToken stop, Pod? parsed = null)
    {
        if (_life is null || !_life.IsNewerThan(report))
        {
            var isRepeated = _life is { } life && (life.Uid, life.Liveness) == (report.Uid, report.Liveness);
            _life = PodLife.Of(report);
            await PublishAsync(null, stop, parsed);
            _projection.Mark();
            if (!isRepeated && report is { IsReady: false, Reason: PodReasons.Unhealthy or PodReasons.ProcessAwaited } && _object.Current is { } pod)
            {
                _events.Record(pod, isWarning: true, PodReasons.Unhealthy, $"Readiness probe failed: {report.Message}");
            }
        }

        return Accepted();
    }

    private async Task<PodReportReply> EndAsync(PodReport report, CancellationToken stop)
    {
        if (_object.Current is not { } current || current.Uid != report.Uid || Known(current) > report.Liveness)
        {
            return Accepted();
        }

        var isNews = !_ended.Contains(report.Uid) && !PodDocument.IsTerminal(current.Document);
        _ended.Add(report.Uid);
        (_published, _told) = (PodRowOf.Ended(current, _life, report.Liveness), default);
        await Registry.Apply([_published], stop);
        if (isNews)
        {
            _events.Record(current, isWarning: !PodEnd.IsAskedFor(report), "RegistrationEnded", report.Message);
        }

        var reply = await _object.ChangeAsync(now => PodEnd.Plan(report, now, _time.GetUtcNow()), static _ => null, CommitClass.Request, stop);
        return reply.Result is ObjectResult.Committed or ObjectResult.NotFound
            ? Accepted()
            : new PodReportReply(PodReportResult.Retry, 0, 0, reply.Message);
    }

    private async Task PublishAsync(StoredObject? deleted, CancellationToken stop, Pod? parsed = null)
    {
        // The Keeper and each status write ask again; what was looked at already is not parsed for that.
        var state = (_object.Current?.Uid ?? "", _object.Current?.ResourceVersion ?? 0, _life);
        if (deleted is null && _published is not null && state == _told)
        {
            return;
        }

        var row = (deleted, _object.Current) switch
        {
            ({ } gone, _) => PodRowOf.Ended(gone, _life, 0),
            (null, { } current) when !_ended.Contains(current.Uid) =>
                parsed is null ? PodRowOf.Object(current, _life) : PodRowOf.Object(current, parsed, _life),
            _ => null,
        };
        if (row is null)
        {
            return;
        }

        if (_published is null || !PodRowOf.TellsTheSame(_published, row))
        {
            await Registry.Apply([row], stop);
            _published = row;
        }

        if (deleted is null)
        {
            _told = state;
        }
    }

    private PodReportReply Accepted() =>
        new(PodReportResult.Accepted, _object.Current?.CreatedVersion ?? 0, _object.Current?.ResourceVersion ?? 0, "");

    private ulong Known(StoredObject current) =>
        Math.Max(_life?.Uid == current.Uid ? _life.Liveness : 0, RegisteredPod.Shown(current.Document).Liveness);
}

using System.Net;
using Mesh.Agent.Probes;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Microsoft.Extensions.Logging;
using Registration = Mesh.Agent.Registrations.Registration;

namespace Mesh.Agent.Pods;

/// <summary>
/// What applications of this machine ask for: PUT, PATCH, DELETE, and the end of a stream. It is in the journal before it
/// is believed: what the disk does not take changes nothing.
/// </summary>
internal sealed class RegisteredPods(
    AgentIdentity identity,
    PodTable table,
    PodVoice voice,
    ProbeLoop probes,
    Namespaces namespaces,
    IReportSink reports,
    IRegistrationJournal journal,
    Random random,
    TimeProvider time,
    ILogger logger)
{
    private readonly PodAdmission _admission = new(table, reports, random, time);
    private readonly NameTurns _turns = new();

    /// <summary>Called under the lock of <see cref="PodTable"/>.</summary>
    public void Configure(NodeOptions options, IReadOnlyCollection<IPAddress> machine) => _admission.Configure(options, machine);

    /// <summary>Takes a Pod on, or its stream over when it lives under <paramref name="uid"/>.</summary>
    /// <param name="answersAt">Where the process answers its node, if it says so.</param>
    /// <param name="user">Whose process asks.</param>
    public async Task<(Refusal? Refused, RegisteredPod? Pod, Lease? Lease)> RegisterAsync(
        NamespacedName name, Registration wanted, string? uid, string? answersAt, uint user, CancellationToken stop)
    {
        if (namespaces.Refuse(name.Namespace) is { } missing)
        {
            return (missing, null, null);
        }

        using var turn = await _turns.TakeAsync(name, stop);
        RegisteredPod? living;
        lock (table.Gate)
        {
            living = table.Find(name);
            if (living is not null && PodAdmission.RefuseOthers(living, user) is { } others)
            {
                return (others, null, null);
            }

            if (living is { Lease: null, IsTerminating: false } && uid is null && AsksForTheSame(wanted, living.Registration))
            {
                // A client that keeps no uid (curl in a loop) comes back with what it asked for before the node's restart: it is routed to already.
                uid = living.Uid;
            }
        }

        var lease = new Lease(answersAt);
        // A Pod whose stream is only awaited back gives way to a new registration of its name.
        var (refused, pod) = living is null || (living.Lease is null && living.Uid != uid)
            ? await TakeOnAsync(name, wanted, replaced: living, lease, user, stop)
            : await TakeOverAsync(living, wanted, uid, lease, stop);
        if (refused is not null)
        {
            return (refused, null, null);
        }

        await voice.TellAsync(pod!, stop);
        logger.Registered(name.ToString(), pod!.Uid, pod.Facts.Address.ToString());
        return (null, pod, lease);
    }

    /// <summary>A merge patch; answered when this machine's snapshot has it.</summary>
    public async Task<Refusal?> PatchAsync(NamespacedName name, RegistrationPatch patch, string? uid, uint user, CancellationToken stop)
    {
        using var turn = await _turns.TakeAsync(name, stop);
        RegisteredPod? pod;
        PodDocument.Facts facts;
        lock (table.Gate)
        {
            if (_admission.Find(name, uid, user, out pod) is { } refused)
            {
                return refused;
            }

            if (PodAdmission.AdmitPatch(pod!, patch, out facts) is { } tooLarge)
            {
                return tooLarge;
            }
        }

        if (await ChangeAsync(pod!, facts, lease: null, stop) is { } failure)
        {
            return failure;
        }

        await voice.TellAsync(pod!, stop);
        return null;
    }

    /// <summary>Ends a Pod; what is returned is how it was.</summary>
    public async Task<(Refusal? Refused, PodDocument.Facts? Facts, PodDocument.Shown? Shown)> DeleteAsync(NamespacedName name, string? uid, uint user)
    {
        RegisteredPod? pod;
        PodDocument.Shown last;
        lock (table.Gate)
        {
            if (_admission.Find(name, uid, user, out pod) is { } refused)
            {
                return (refused, null, null);
            }

            last = pod!.Shown;
        }

        await voice.EndAsync(pod, new LeaseEnd.Deleted(), "Deleted", "The registration was deleted.");
        return (null, pod.Facts, last);
    }

    /// <summary>The client closed its stream, or died. A stream that another took over ends nothing.</summary>
    public Task StreamClosedAsync(RegisteredPod pod, Lease lease) =>
        voice.EndHeldByAsync(pod, lease, "StreamClosed", "Its registration's stream was closed.");

    private async Task<(Refusal? Refused, RegisteredPod? Pod)> TakeOnAsync(
        NamespacedName name, Registration wanted, RegisteredPod? replaced, Lease lease, uint user, CancellationToken stop)
    {
        RegisteredPod pod;
        var machine = table.Addresses.Look(wanted.Address);
        lock (table.Gate)
        {
            if (_admission.Admit(name, wanted, machine, replaced, user, out var facts) is { } refused)
            {
                return (refused, null);
            }

            pod = new RegisteredPod(facts!) { Lease = lease };
        }

        var failure = await JournalAsync(RegisteredPod.Record(pod.Facts, pod.Version, identity.BootId), stop);
        if (failure is null && replaced is not null)
        {
            // Only now, when nothing can go wrong any more.
            await voice.EndAsync(replaced, new LeaseEnd.Deleted(), "Replaced", "Its name was registered anew after a restart of the node.");
        }

        ProbeTarget? probe;
        lock (table.Gate)
        {
            _admission.Settle(pod, isTaken: failure is null);
            if (failure is not null)
            {
                return (failure, null);
            }

            probe = voice.ArrangeProbe(pod, isAwaited: false);
        }

        AgentMetrics.Began();
        Begin(probe);
        return (null, pod);
    }

    private async Task<(Refusal? Refused, RegisteredPod? Pod)> TakeOverAsync(
        RegisteredPod living, Registration wanted, string? uid, Lease lease, CancellationToken stop)
    {
        PodDocument.Facts facts;
        lock (table.Gate)
        {
            if (_admission.AdmitTakeOver(living, wanted, uid, out facts) is { } refused)
            {
                return (refused, null);
            }
        }

        return await ChangeAsync(living, facts, lease, stop) is { } failure ? (failure, null) : (null, living);
    }

    /// <param name="lease">Of the stream that takes the Pod over, if one does.</param>
    private async Task<Refusal?> ChangeAsync(RegisteredPod pod, PodDocument.Facts facts, Lease? lease, CancellationToken stop)
    {
        // A stream that comes back asks for what is in the journal already: a full disk must not keep it out.
        var isNews = lease is null || !AsksForTheSame(facts.Registration, pod.Registration);
        if (isNews && await JournalAsync(RegisteredPod.Record(facts, pod.Version + 1, identity.BootId), stop) is { } failure)
        {
            return failure;
        }

        Lease? previous = null;
        ProbeTarget? probe = null;
        bool isEnded;
        lock (table.Gate)
        {
            isEnded = pod.IsEnded;
            if (!isEnded)
            {
                if (lease is not null)
                {
                    (previous, pod.Lease) = (pod.Lease, lease);
                }

                if (isNews)
                {
                    pod.Change(facts);
                }

                probe = voice.ArrangeProbe(pod, isAwaited: pod.Lease is null);
            }
        }

        if (isEnded)
        {
            // Its end was journaled before the change was, which would bring it back.
            await journal.EndAsync(pod.Uid, CancellationToken.None);
            return Refusal.NotFound($"Pod {facts.Name} has ended meanwhile.");
        }

        previous?.Finish(new LeaseEnd.TakenOver());
        Begin(probe);
        return null;
    }

    private static bool AsksForTheSame(Registration one, Registration other) => PodDocument.Request(one).AsSpan().SequenceEqual(PodDocument.Request(other));

    private void Begin(ProbeTarget? probe)
    {
        if (probe is not null)
        {
            probes.Add(probe);
        }
    }

    private async Task<Refusal?> JournalAsync(NodeLink.Wire.Registration record, CancellationToken stop)
    {
        try
        {
            await journal.WriteAsync(record, stop);
            return null;
        }
        catch (IOException failed)
        {
            return Refusal.Unavailable("The registration could not be written to the node's journal: " + failed.Message);
        }
    }
}

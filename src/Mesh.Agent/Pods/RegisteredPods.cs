using Mesh.Agent.Probes;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Microsoft.Extensions.Logging;
using Registration = Mesh.Agent.Registrations.Registration;

namespace Mesh.Agent.Pods;

/// <summary>What applications of this machine ask for: PUT, PATCH, DELETE, and the end of a stream. In the journal before it is answered.</summary>
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
    public const int MaxRegistrations = 10_000;

    private NodeOptions? _options;

    public void Configure(NodeOptions options)
    {
        lock (table.Gate)
        {
            _options = options;
            table.Addresses.Configure(options);
        }
    }

    /// <summary>Takes a Pod on, or its stream over when it lives under <paramref name="uid"/>.</summary>
    public async Task<(Refusal? Refused, RegisteredPod? Pod, Lease? Lease)> RegisterAsync(
        NamespacedName name, Registration wanted, string? uid, CancellationToken stop)
    {
        if (namespaces.Refuse(name.Namespace) is { } missing)
        {
            return (missing, null, null);
        }

        await ReplaceAwaitedAsync(name, uid);
        RegisteredPod? pod;
        ProbeTarget? probe;
        Lease? previous;
        var lease = new Lease();
        lock (table.Gate)
        {
            pod = table.Find(name);
            if ((pod is null ? Create(name, wanted, out pod) : Resume(pod, wanted, uid)) is { } refused)
            {
                return (refused, null, null);
            }

            previous = pod!.Lease;
            pod.Lease = lease;
            probe = voice.ArrangeProbe(pod, isAwaited: false);
        }

        previous?.Finish(new LeaseEnd.TakenOver());
        if (await JournalAsync(pod, stop) is { } failure)
        {
            await voice.EndAsync(pod, new LeaseEnd.Refused(failure), "NotJournaled", failure.Message);
            return (failure, null, null);
        }

        if (probe is not null)
        {
            probes.Add(probe);
        }

        await voice.TellAsync(pod, stop);
        logger.Registered(name.ToString(), pod.Uid, pod.Facts.Address.ToString());
        return (null, pod, lease);
    }

    /// <summary>A merge patch; answered when this machine's snapshot has it.</summary>
    public async Task<(Refusal? Refused, RegisteredPod? Pod)> PatchAsync(NamespacedName name, RegistrationPatch patch, string? uid, CancellationToken stop)
    {
        RegisteredPod? pod;
        ProbeTarget? probe;
        lock (table.Gate)
        {
            if (Living(name, uid, out pod) is { } refused)
            {
                return (refused, null);
            }

            pod!.Facts = pod.Facts with { Registration = patch.ApplyTo(pod.Registration) };
            pod.Version++;
            pod.IsJournaled = false;
            // What the store says is older than this patch, until the silo has applied it.
            pod.Stored = pod.Stored is { DeletionTimestamp: not null } deleting ? deleting : null;
            probe = voice.ArrangeProbe(pod, isAwaited: pod.Lease is null);
        }

        if (probe is not null)
        {
            probes.Add(probe);
        }

        var failure = await JournalAsync(pod, stop);
        await voice.TellAsync(pod, stop);
        return (failure, pod);
    }

    public async Task<Refusal?> DeleteAsync(NamespacedName name, string? uid)
    {
        RegisteredPod? pod;
        lock (table.Gate)
        {
            if (Living(name, uid, out pod) is { } refused)
            {
                return refused;
            }
        }

        await voice.EndAsync(pod!, new LeaseEnd.Deleted(), "Deleted", "The registration was deleted.");
        return null;
    }

    /// <summary>The client closed its stream, or died. A stream that another took over ends nothing.</summary>
    public Task StreamClosedAsync(RegisteredPod pod, Lease lease) =>
        voice.EndHeldByAsync(pod, lease, "StreamClosed", "Its registration's stream was closed.");

    /// <summary>A Pod whose stream is only awaited back gives way to a new registration of its name.</summary>
    private async Task ReplaceAwaitedAsync(NamespacedName name, string? uid)
    {
        RegisteredPod? awaited;
        lock (table.Gate)
        {
            awaited = table.Find(name) is { Lease: null } pod && pod.Uid != uid ? pod : null;
        }

        if (awaited is not null)
        {
            await voice.EndAsync(awaited, new LeaseEnd.Deleted(), "Replaced", "Its name was registered anew after a restart of the node.");
        }
    }

    private Refusal? Create(NamespacedName name, Registration wanted, out RegisteredPod? pod)
    {
        pod = null;
        if (_options is null)
        {
            return Refusal.Unavailable("This node has not been told its options yet.");
        }

        if (table.Count >= MaxRegistrations || !reports.HasRoom)
        {
            return Refusal.TooMany($"This node has {table.Count} registrations, and {MaxRegistrations} at most; what ended must reach the silo first.");
        }

        if (table.Addresses.Take(wanted.Address, wanted.Ports, out var address) is { } refused)
        {
            return refused;
        }

        var facts = new PodDocument.Facts(name, Uid.New(random), _options.NodeName, address, time.GetUtcNow(), wanted);
        try
        {
            RegisteredPod.ParsedProbe(facts);
        }
        catch (FormatException wrong)
        {
            table.Addresses.Release(address);
            return Refusal.BadRequest(wrong.Message);
        }

        pod = new RegisteredPod(facts);
        table.Add(pod);
        AgentMetrics.Began();
        return null;
    }

    private Refusal? Resume(RegisteredPod living, Registration wanted, string? uid)
    {
        if (living.Uid != uid)
        {
            return Refusal.Conflict($"Pod {living.Facts.Name} is registered on this machine with uid {living.Uid}; '?uid=' with that uid takes its stream over.");
        }

        if (wanted.Address == Registration.AllocatedAddress)
        {
            wanted = wanted with { Address = living.Registration.Address };
        }

        if (wanted.Address != living.Registration.Address && wanted.Address != living.Facts.Address.ToString())
        {
            return Refusal.Conflict($"address: Pod {living.Facts.Name} has {living.Facts.Address}, which stays until its end.");
        }

        var facts = living.Facts with { Registration = wanted };
        try
        {
            RegisteredPod.ParsedProbe(facts);
        }
        catch (FormatException wrong)
        {
            return Refusal.BadRequest(wrong.Message);
        }

        if (table.Addresses.RefusePorts(facts.Address, wanted.Ports) is { } refused)
        {
            return refused;
        }

        // A stream that comes back asks for what is in the journal already: a full disk must not end its Pod.
        if (!living.IsJournaled || !PodDocument.Request(wanted).AsSpan().SequenceEqual(PodDocument.Request(living.Registration)))
        {
            living.Facts = facts;
            living.Version++;
            living.IsJournaled = false;
        }

        return null;
    }

    private Refusal? Living(NamespacedName name, string? uid, out RegisteredPod? pod)
    {
        pod = table.Find(name);
        if (pod is null)
        {
            return Refusal.NotFound($"Pod {name} is not registered on this machine.");
        }

        return uid is null || uid == pod.Uid ? null : Refusal.Conflict($"Pod {name} has uid {pod.Uid}, not {uid}.");
    }

    private async Task<Refusal?> JournalAsync(RegisteredPod pod, CancellationToken stop)
    {
        NodeLink.Wire.Registration record;
        lock (table.Gate)
        {
            if (pod.IsJournaled)
            {
                return null;
            }

            record = pod.Record(identity.BootId);
        }

        try
        {
            await journal.WriteAsync(record, stop);
            lock (table.Gate)
            {
                pod.IsJournaled = pod.Version == record.Version;
            }

            return null;
        }
        catch (IOException failed)
        {
            return Refusal.Unavailable("The registration could not be written to the node's journal: " + failed.Message);
        }
    }
}

using System.Net;
using Mesh.Agent.Http;
using Mesh.Agent.Registrations;
using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.NodeLink;
using Mesh.NodeLink.NodeEnd;

namespace Mesh.Agent.Pods;

/// <summary>What may be registered, and changed of what is: nothing here changes a Pod. Called under the lock of <see cref="PodTable"/>.</summary>
internal sealed class PodAdmission(PodTable table, IReportSink reports, Random random, TimeProvider time)
{
    public const int MaxRegistrations = 10_000;

    /// <summary>Of a registration, in bytes.</summary>
    public const int MaxSize = 64 * 1024;

    private NodeOptions? _options;
    private int _admitted; // and not in the table yet

    public void Configure(NodeOptions options, IReadOnlyCollection<IPAddress> machine)
    {
        _options = options;
        table.Addresses.Configure(options, machine);
    }

    /// <summary>A new Pod, with its place and its address taken until <see cref="Settle"/>.</summary>
    /// <param name="machine">Its addresses now, as <see cref="PodAddresses.Look(string)"/> tells them.</param>
    /// <param name="replaced">The Pod that it takes the name of.</param>
    public Refusal? Admit(
        NamespacedName name, Registration wanted, IReadOnlyCollection<IPAddress> machine, RegisteredPod? replaced, uint user, out PodDocument.Facts? facts)
    {
        facts = null;
        if (_options is null)
        {
            return Refusal.Unavailable("This node has not been told its options yet.");
        }

        var others = table.Count + _admitted - (replaced is null ? 0 : 1);
        if (others >= MaxRegistrations)
        {
            return Refusal.TooMany($"This node has {others} registrations, and takes {MaxRegistrations} at most.");
        }

        if (!reports.HasRoom)
        {
            return Refusal.TooMany("Too many Pods of this node have ended that the silo has not heard of yet; try again later.");
        }

        if (table.Addresses.Take(wanted.Address, wanted.Ports, machine, replaced?.Facts.Address, out var address) is { } refused)
        {
            return refused;
        }

        facts = new PodDocument.Facts(name, Uid.New(random), _options.NodeName, address, WallClock.Now(time), wanted, user);
        if (RefuseProbe(facts) is { } wrong)
        {
            table.Addresses.Release(address);
            return wrong;
        }

        _admitted++;
        return null;
    }

    /// <summary>What was admitted is in the table from here on, or is nothing.</summary>
    public void Settle(RegisteredPod pod, bool isTaken)
    {
        _admitted--;
        if (isTaken)
        {
            table.Add(pod);
        }
        else
        {
            table.Addresses.Release(pod.Facts.Address);
        }
    }

    /// <summary>The Pod as the stream that takes it over wants it.</summary>
    public Refusal? AdmitTakeOver(RegisteredPod living, Registration wanted, string? uid, out PodDocument.Facts facts)
    {
        facts = living.Facts;
        if (living.Uid != uid)
        {
            return Refusal.Conflict($"Pod {facts.Name} is registered on this machine with uid {living.Uid}; '?uid=' with that uid takes its stream over.");
        }

        if (wanted.Address == Registration.AllocatedAddress)
        {
            wanted = wanted with { Address = living.Registration.Address };
        }

        if (wanted.Address != living.Registration.Address && wanted.Address != facts.Address.ToString())
        {
            return Refusal.Conflict($"address: Pod {facts.Name} has {facts.Address}, which stays until its end.");
        }

        facts = facts with { Registration = wanted.After(living.Registration, living.Version + 1) };
        return RefuseProbe(facts) ?? table.Addresses.RefusePorts(facts.Address, wanted.Ports);
    }

    /// <summary>The Pod as a patch makes it.</summary>
    public static Refusal? AdmitPatch(RegisteredPod living, RegistrationPatch patch, out PodDocument.Facts facts)
    {
        facts = living.Facts with { Registration = patch.ApplyTo(living.Registration, living.Version + 1) };
        // Patch by patch, a registration does not outgrow what one request may ask for.
        var size = PodDocument.Request(facts.Registration).Length;
        return size > MaxSize && size > PodDocument.Request(living.Registration).Length
            ? Refusal.TooLarge($"With this patch the registration would be larger than {MaxSize} bytes.")
            : null;
    }

    /// <summary>A user of <c>--register-uids</c> has no say over the Pods of another one.</summary>
    public static Refusal? RefuseOthers(RegisteredPod pod, uint user) => PeerUid.IsFree(user) || pod.Facts.User is not { } owner || owner == user
        ? null
        : Refusal.Forbidden($"Pod {pod.Facts.Name} was registered by a process of uid {owner}, and this one is of uid {user}.");

    /// <summary>The Pod under the name, if it is the one that is meant, and this user's to change.</summary>
    public Refusal? Find(NamespacedName name, string? uid, uint user, out RegisteredPod? pod)
    {
        pod = table.Find(name);
        if (pod is null)
        {
            return Refusal.NotFound($"Pod {name} is not registered on this machine.");
        }

        return RefuseOthers(pod, user) ?? (uid is null || uid == pod.Uid ? null : Refusal.Conflict($"Pod {name} has uid {pod.Uid}, not {uid}."));
    }

    private static Refusal? RefuseProbe(PodDocument.Facts facts)
    {
        try
        {
            RegisteredPod.ParsedProbe(facts);
            return null;
        }
        catch (FormatException wrong)
        {
            return Refusal.BadRequest(wrong.Message);
        }
    }
}

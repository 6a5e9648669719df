using Mesh.Agent.Probes;
using Mesh.Agent.Registrations;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.NodeLink.Wire;
using Registration = Mesh.Agent.Registrations.Registration;

namespace Mesh.Agent.Pods;

/// <summary>One Pod registered on this machine. Everything that changes is guarded by the lock of <see cref="PodTable"/>.</summary>
internal sealed class RegisteredPod(PodDocument.Facts facts)
{
    public PodDocument.Facts Facts { get; set; } = facts;

    public string Uid => Facts.Uid;

    public Registration Registration => Facts.Registration;

    /// <summary>Counts PUTs and PATCHes.</summary>
    public long Version { get; set; } = 1;

    public ulong Liveness { get; set; }

    /// <summary>Null while the stream is awaited back after a restart of the node.</summary>
    public Lease? Lease { get; set; }

    public ProbeTarget? Probe { get; set; }

    public StoredMeta? Stored { get; set; }

    public long StoredVersion { get; set; }

    public bool IsTerminating { get; set; }

    public bool IsEnded { get; set; }

    /// <summary>Completed when the silo has what was last reported of it, as far as a drain waits for that.</summary>
    public TaskCompletionSource? DrainReported { get; set; }

    /// <summary>As last told to the snapshot and the silo.</summary>
    public bool ToldReady { get; set; }

    public bool IsReady => !IsEnded && !IsTerminating && Registration.Ready != false && Probe is not { IsReady: false };

    public string Reason => this switch
    {
        { IsTerminating: true } => "The Pod is being deleted.",
        { Registration.Ready: false } => "The application says that it is not ready.",
        { Probe: { IsReady: false } probe } => probe.Message,
        _ => "",
    };

    /// <summary>Not ready because its probe failed, not only because nobody has probed it yet.</summary>
    private bool IsUnhealthy => !IsTerminating && Registration.Ready != false && Probe is { HasFailed: true };

    public PodDocument.Shown Shown => new(
        Stored?.Labels ?? Registration.Labels,
        Stored?.Annotations ?? Registration.Annotations,
        StoredVersion,
        Stored?.DeletionTimestamp,
        IsReady,
        Reason);

    public LocalPod Local => new(Facts.Name, Uid, !IsEnded, IsReady, IsTerminating, Liveness);

    public PodState State => new()
    {
        Namespace = Facts.Name.Namespace,
        Name = Facts.Name.Name,
        Uid = Uid,
        Liveness = Liveness,
        Ready = IsReady,
        Terminating = IsTerminating,
        Registered = true,
    };

    public PodReport Report(string endReason, string endMessage) => new()
    {
        Namespace = Facts.Name.Namespace,
        Name = Facts.Name.Name,
        Uid = Uid,
        Registered = true,
        Document = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(PodDocument.ForReport(Facts)),
        RegistrationVersion = Version,
        Named = Registration.Named.ToWire(),
        Liveness = Liveness,
        Ready = IsReady,
        Terminating = IsTerminating,
        Ended = IsEnded,
        Reason = IsEnded ? endReason : IsUnhealthy ? PodReasons.Unhealthy : "",
        Message = IsEnded ? endMessage : Reason,
    };

    /// <summary>For the journal, also of what the Pod is to become.</summary>
    public static NodeLink.Wire.Registration Record(PodDocument.Facts facts, long version, string bootId)
    {
        var record = Recorded(facts, version, bootId);
        if (facts.User is { } user)
        {
            record.User = user;
        }

        return record;
    }

    private static NodeLink.Wire.Registration Recorded(PodDocument.Facts facts, long version, string bootId) => new()
    {
        Namespace = facts.Name.Namespace,
        Name = facts.Name.Name,
        Uid = facts.Uid,
        Request = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(PodDocument.Request(facts.Registration)),
        Version = version,
        Named = facts.Registration.Named.ToWire(),
        Address = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(facts.Address.GetAddressBytes()),
        BootId = bootId,
        CreatedUnixSeconds = facts.Created.ToUnixTimeSeconds(),
    };

    /// <summary>It is registered anew, or patched.</summary>
    public void Change(PodDocument.Facts facts)
    {
        var before = Facts.Registration;
        Facts = facts;
        Version++;
        // What the store says is older than this, until the silo has applied it as is done here.
        Stored = Stored is { } stored
            ? stored with
            {
                Labels = NamedKeys.Apply(stored.Labels, before.Labels, Registration.Labels, Registration.Named.Labels, Version),
                Annotations = NamedKeys.Apply(stored.Annotations, before.Annotations, Registration.Annotations, Registration.Named.Annotations, Version),
            }
            : null;
    }

    /// <summary>What decides readiness now; null when nothing is probed. <paramref name="isAwaited"/>: only its ports tell that it lives.</summary>
    public ProbeSpec? ProbeSpec(bool isAwaited)
    {
        if (Registration.ReadinessProbe is not null)
        {
            return Probes.ProbeSpec.Of(ParsedProbe(Facts)!, Facts.Address, Registration.Ports);
        }

        if (!isAwaited && Registration.Ready is not null && Lease?.AnswersAt is { } at)
        {
            return Probes.ProbeSpec.ProcessAnswers(at, Facts.Address, Registration.Ports);
        }

        return (Registration.Ready is null || isAwaited) && Registration.Ports.Any(port => port.Protocol == TransportProtocol.Tcp)
            ? Probes.ProbeSpec.PortsAccept(Facts.Address, Registration.Ports, TimeSpan.FromSeconds(1))
            : null;
    }

    /// <exception cref="FormatException">The probe is not one that the API would take.</exception>
    public static Probe? ParsedProbe(PodDocument.Facts facts)
    {
        if (facts.Registration.ReadinessProbe is null)
        {
            return null;
        }

        try
        {
            var probe = PodParser.Parse(PodDocument.ForReport(facts), 0).ReadinessProbe ?? throw new FormatException("it has no action.");
            var (port, host) = probe.Action switch
            {
                ProbeAction.HttpGet http => (http.Port, http.Host),
                ProbeAction.TcpSocket tcp => (tcp.Port, tcp.Host),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            if (port.In(facts.Registration.Ports) is null)
            {
                throw new FormatException($"the Pod has no port named '{port.Name}'.");
            }

            return host is null || host == facts.Address.ToString()
                ? probe
                : throw new FormatException($"host: {ProbeRules.HostText}.");
        }
        catch (FormatException wrong)
        {
            throw new FormatException("readinessProbe: " + wrong.Message, wrong);
        }
    }
}

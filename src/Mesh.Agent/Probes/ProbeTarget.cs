using System.Collections.Immutable;
using System.Net;
using Mesh.Core;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Agent.Probes;

/// <summary>What one probe tries. Null <paramref name="Action"/>: the process answers where it says so, or else every TCP port accepts a connection.</summary>
internal sealed record ProbeSpec(
    ProbeAction? Action,
    IPAddress Address,
    ImmutableArray<ContainerPort> Ports,
    TimeSpan InitialDelay,
    TimeSpan Period,
    TimeSpan Timeout,
    int SuccessThreshold,
    int FailureThreshold)
{
    /// <summary>A kernel under load drops a SYN and hears its next one a second later: once is no evidence.</summary>
    private const int SilencesOfPorts = 3;

    /// <summary>With a second between two attempts, a process that was stopped is out before four are over.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(900);

    /// <summary>An attempt holds a place of all Pods, and no timer waits 68 years.</summary>
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    /// <summary>Attempts in a row that find no answer until the Pod is not ready.</summary>
    public int SilenceThreshold { get; init; } = FailureThreshold;

    /// <summary>Where the process says that it answers (<see cref="ProcessProbe"/>).</summary>
    public string? AnswersAt { get; init; }

    public static ProbeSpec Of(Probe probe, IPAddress address, ImmutableArray<ContainerPort> ports) => new(
        probe.Action, address, ports, probe.InitialDelay, probe.Period, UserSeconds.AtMost(probe.Timeout, LongestTimeout), probe.SuccessThreshold, probe.FailureThreshold);

    /// <summary>Without a probe a Pod is ready while its ports accept.</summary>
    public static ProbeSpec PortsAccept(IPAddress address, ImmutableArray<ContainerPort> ports, TimeSpan every) =>
        new(null, address, Tried(ports), TimeSpan.Zero, every, TimeSpan.FromSeconds(1), 1, 1) { SilenceThreshold = SilencesOfPorts };

    /// <summary>The application says itself whether it is ready, for as long as it says anything. Its ports are where others may find it silent.</summary>
    public static ProbeSpec ProcessAnswers(string at, IPAddress address, ImmutableArray<ContainerPort> ports) =>
        new(null, address, Tried(ports), TimeSpan.Zero, TimeSpan.FromSeconds(1), AnswerWithin, 1, 3) { AnswersAt = at };

    /// <summary>A manifest may name thousands; of a registration it is all there can be.</summary>
    private static ImmutableArray<ContainerPort> Tried(ImmutableArray<ContainerPort> ports) =>
        [.. ports.Where(port => port.Protocol == TransportProtocol.Tcp).DistinctBy(port => port.Number).Take(Registrations.RegistrationParser.MaxPorts)];

    /// <summary>The numbers of the ports that an attempt connects to.</summary>
    public IEnumerable<int> TargetPorts() => Action switch
    {
        null when AnswersAt is not null => [],
        null => Ports.Where(port => port.Protocol == TransportProtocol.Tcp).Select(port => port.Number),
        ProbeAction.TcpSocket tcp => tcp.Port.In(Ports) is { } number ? [number] : [],
        ProbeAction.HttpGet http => http.Port.In(Ports) is { } number ? [number] : [],
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Whether both try the same thing in the same rhythm. (Records that hold collections do not compare by content.)</summary>
    public bool IsSame(ProbeSpec other) =>
        (Address, AnswersAt, InitialDelay, Period, Timeout, SuccessThreshold, FailureThreshold, SilenceThreshold)
            .Equals((other.Address, other.AnswersAt, other.InitialDelay, other.Period, other.Timeout, other.SuccessThreshold, other.FailureThreshold, other.SilenceThreshold))
        && Ports.SequenceEqual(other.Ports)
        && (Action, other.Action) switch
        {
            (ProbeAction.HttpGet http, ProbeAction.HttpGet same) => http.Headers.SequenceEqual(same.Headers) && (http with { Headers = [] }) == (same with { Headers = [] }),
            var (action, same) => action == same,
        };
}

/// <summary>One Pod being probed. Its counters belong to the <see cref="ProbeLoop"/>.</summary>
internal sealed class ProbeTarget(ProbeSpec spec, Func<Task> onChanged)
{
    private int _successes;
    private int _failures;

    public ProbeSpec Spec => spec;

    /// <summary>A process that answers has just said itself that it is there.</summary>
    public bool IsReady { get; set; } = spec.AnswersAt is not null;

    /// <summary>Not ready because an attempt failed, and not only because there was none yet.</summary>
    public bool HasFailed => !IsReady && Attempts > 0;

    /// <summary>What the last failure was, for the Pod's Ready condition.</summary>
    public string Message { get; private set; } = "Not probed yet.";

    /// <summary>Whether the last attempt found nobody listening.</summary>
    public bool IsRefused { get; private set; }

    internal long Due { get; set; }

    internal long Started { get; set; }

    /// <summary>Under way now.</summary>
    internal ProbeAttempt? Attempt { get; set; }

    internal LinkedListNode<ProbeTarget>? Place { get; set; }

    internal bool IsHurried { get; set; }

    internal bool IsRemoved { get; set; }

    /// <summary>Telling the last result failed, so the next one is news.</summary>
    internal bool IsUntold { get; set; }

    /// <summary>Results counted so far.</summary>
    internal int Attempts { get; private set; }

    /// <summary>Ready, and the last attempt failed: the next one is to be soon.</summary>
    internal bool IsDoubted => IsReady && _failures > 0;

    /// <summary>Counts one result; true when what it tells changed or is known for the first time (kubelet <c>prober/worker.go</c>).</summary>
    internal bool Count(ProbeOutcome outcome)
    {
        if (outcome is ProbeOutcome.NotTried untried)
        {
            Message = Attempts == 0 ? $"Not probed yet: {untried.Why}." : Message;
            return false;
        }

        if (spec.AnswersAt is not null && Attempts == 0 && outcome is ProbeOutcome.Failure)
        {
            return false; // out of hearing from the first, as in another network namespace: that says nothing of the process
        }

        var isFirst = Attempts == 0 && spec.AnswersAt is null;
        var wasRefused = IsRefused;
        IsRefused = outcome is ProbeOutcome.Refused;
        if (outcome is ProbeOutcome.Failure failure)
        {
            _successes = 0;
            _failures++;
            Message = failure.Why;
        }
        else
        {
            _failures = 0;
            _successes++;
            Message = "";
        }

        var most = outcome is ProbeOutcome.Silent ? spec.SilenceThreshold : spec.FailureThreshold;
        var ready = IsReady ? _failures < most : _successes >= spec.SuccessThreshold;
        // Of a Pod that is not ready it is news too when somebody begins to listen, or ends.
        var isNews = isFirst || IsUntold || ready != IsReady || (!ready && IsRefused != wasRefused);
        (IsReady, IsUntold) = (ready, false);
        Attempts++;
        return isNews;
    }

    internal Task TellAsync() => onChanged();
}

using Mesh.Agent.Probes;
using Mesh.Core.Routing;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Pods;

/// <summary>Tells what is observed of registered Pods: this machine's snapshot first, then the silo, and the Pod's own stream.</summary>
internal sealed class PodVoice(
    PodTable table,
    LivenessCounter liveness,
    ILocalRouting routing,
    IReportSink reports,
    IRegistrationJournal journal,
    ProbeLoop probes,
    ILogger logger)
{
    /// <summary>Completes when this machine's snapshot has the Pod as it is now.</summary>
    public async Task TellAsync(RegisteredPod pod, CancellationToken stop)
    {
        LocalPod local;
        PodReport report;
        lock (table.Gate)
        {
            if (pod.IsEnded)
            {
                return;
            }

            pod.Liveness = liveness.Next();
            local = pod.Local;
            report = pod.Report("", "");
            if (pod.ToldReady != local.IsReady)
            {
                logger.ReadinessChanged(pod.Facts.Name.ToString(), local.IsReady ? "ready" : "not ready", pod.Reason);
            }

            pod.ToldReady = local.IsReady;
            pod.Lease?.Touch();
        }

        await routing.ApplyAsync(local, stop);
        reports.Put(report);
    }

    /// <summary>The Pod has ended: nothing routes to it from here on, and its name and address are free.</summary>
    /// <param name="tellSilo">False when the silo said so itself.</param>
    public Task EndAsync(RegisteredPod pod, LeaseEnd end, string reason, string message, bool tellSilo = true) =>
        EndAsync(pod, end, reason, message, tellSilo, _ => true);

    /// <summary>The same, unless another stream has taken the Pod over: it was <paramref name="holder"/> (null: none) that ended.</summary>
    public Task EndHeldByAsync(RegisteredPod pod, Lease? holder, string reason, string message) =>
        EndAsync(pod, new LeaseEnd.Deleted(), reason, message, tellSilo: true, lease => lease == holder);

    private async Task EndAsync(RegisteredPod pod, LeaseEnd end, string reason, string message, bool tellSilo, Func<Lease?, bool> isMeant)
    {
        LocalPod local;
        PodReport report;
        Lease? lease;
        lock (table.Gate)
        {
            if (pod.IsEnded || !isMeant(pod.Lease))
            {
                return;
            }

            pod.IsEnded = true;
            pod.Liveness = liveness.Next();
            local = pod.Local;
            report = pod.Report(reason, message);
            lease = pod.Lease;
            table.Remove(pod);
            if (pod.Probe is { } probe)
            {
                probes.Remove(probe);
            }
        }

        AgentMetrics.Ended();
        logger.Ended(pod.Facts.Name.ToString(), pod.Uid, message);
        // Not cancellable: what has begun to end has ended, also for those who are told after one who met an exception.
        try
        {
            await routing.ApplyAsync(local, CancellationToken.None);
        }
        finally
        {
            Finish(pod, lease, end, tellSilo ? report : null);
            await journal.EndAsync(pod.Uid, CancellationToken.None);
        }

        if (!tellSilo)
        {
            await routing.ForgetAsync(pod.Uid, CancellationToken.None);
        }
    }

    private void Finish(RegisteredPod pod, Lease? lease, LeaseEnd end, PodReport? report)
    {
        if (report is not null)
        {
            reports.Put(report);
        }

        lease?.Finish(end);
        lock (table.Gate)
        {
            table.Addresses.Release(pod.Facts.Address);
        }
    }

    /// <summary>Makes the Pod's probe what its registration asks for now; the caller holds the lock and starts what is returned.</summary>
    public ProbeTarget? ArrangeProbe(RegisteredPod pod, bool isAwaited)
    {
        var spec = pod.ProbeSpec(isAwaited);
        if (pod.Probe is { } old)
        {
            if (spec is not null && old.Spec.IsSame(spec))
            {
                return null;
            }

            probes.Remove(old);
        }

        var wasReady = pod.Probe?.IsReady ?? false;
        pod.Probe = spec is null ? null : new ProbeTarget(spec, () => OnProbedAsync(pod));
        if (pod.Probe is { } probe)
        {
            probe.IsReady |= wasReady;
        }

        return pod.Probe;
    }

    private async Task OnProbedAsync(RegisteredPod pod)
    {
        bool isGone;
        lock (table.Gate)
        {
            // While its stream is awaited back, its ports are all that says that it lives.
            isGone = pod is { Lease: null, Probe: { Spec.Action: null, IsReady: false, IsRefused: true } };
        }

        if (isGone)
        {
            await EndHeldByAsync(pod, null, "PortsClosed", "Its ports do not accept, and its stream did not come back.");
            return;
        }

        await TellAsync(pod, CancellationToken.None);
    }
}

using System.Net;
using Mesh.Agent.Probes;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.NodeLink.Journal;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Pods;

/// <summary>
/// The registrations that an earlier process of this node took on. On the same boot they live on while their ports accept,
/// and their streams are awaited back for a while; on another boot their processes are gone.
/// </summary>
internal sealed class RestoredPods(
    AgentIdentity identity,
    PodTable table,
    PodVoice voice,
    ProbeLoop probes,
    ProbeRunner runner,
    IRegistrationJournal journal,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>How long a stream is awaited back.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>How long all of them together are looked at before anything listens: traffic waits for no Pod that says nothing.</summary>
    internal static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    private const int AtOnce = 256;

    /// <summary>Completes when this machine's snapshot has those that live.</summary>
    public async Task RestoreAsync(IReadOnlyCollection<NodeLink.Wire.Registration> registrations, string nodeName, CancellationToken stop)
    {
        var living = new Dictionary<NamespacedName, RegisteredPod>();
        foreach (var record in registrations.OrderBy(record => record.CreatedUnixSeconds))
        {
            if (record.BootId != identity.BootId || Read(record, nodeName) is not { } pod)
            {
                // Absent from the inventory, it ends at the silo too.
                await journal.EndAsync(record.Uid, stop);
                continue;
            }

            if (living.Remove(pod.Facts.Name, out var replaced))
            {
                // Its name was registered anew, and the node died before the end of the first was written.
                await journal.EndAsync(replaced.Uid, stop);
            }

            living.Add(pod.Facts.Name, pod);
        }

        lock (table.Gate)
        {
            foreach (var pod in living.Values)
            {
                table.Add(pod);
                table.Addresses.Reserve(pod.Facts.Address);
                AgentMetrics.Began();
            }
        }

        logger.Restored(living.Count);
        using var limit = new CancellationTokenSource(LongestLook, time);
        using var look = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var each = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };
        await Parallel.ForEachAsync(living.Values, each, async (pod, _) => await ReviveAsync(pod, look.Token, stop));
    }

    /// <summary>Ends those whose stream did not come back.</summary>
    public async Task EndAwaitedAsync(CancellationToken stop)
    {
        await Task.Delay(Grace, time, stop);
        foreach (var pod in table.Where(pod => pod.Lease is null))
        {
            await voice.EndHeldByAsync(pod, null, "StreamLost", "Its stream did not come back after a restart of the node.");
        }
    }

    private async Task ReviveAsync(RegisteredPod pod, CancellationToken look, CancellationToken stop)
    {
        if (await TryAsync(pod, look, stop) is ProbeOutcome.Refused closed)
        {
            await voice.EndAsync(pod, new LeaseEnd.Deleted(), "PortsClosed", $"After a restart of the node its ports do not accept: {closed.Why}");
            return;
        }

        ProbeTarget? probe;
        lock (table.Gate)
        {
            probe = voice.ArrangeProbe(pod, isAwaited: true);
            if (probe is not null)
            {
                probe.IsReady = true;
            }
        }

        await voice.TellAsync(pod, stop);
        if (probe is not null)
        {
            probes.Add(probe);
        }
    }

    /// <summary>Null when there was no time for it: its probe will say.</summary>
    private async Task<ProbeOutcome?> TryAsync(RegisteredPod pod, CancellationToken look, CancellationToken stop)
    {
        try
        {
            look.ThrowIfCancellationRequested();
            return await runner.TryAsync(ProbeSpec.PortsAccept(pod.Facts.Address, pod.Registration.Ports, LongestLook), look);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private RegisteredPod? Read(NodeLink.Wire.Registration record, string nodeName)
    {
        try
        {
            var registration = JournaledRequest.Read(record.Request.Memory);
            var facts = new PodDocument.Facts(
                NamespacedName.Of(record.Namespace, record.Name),
                record.Uid,
                nodeName,
                new IPAddress(record.Address.Span),
                DateTimeOffset.FromUnixTimeSeconds(record.CreatedUnixSeconds),
                registration with { Named = NamedKeys.Read(record, registration) },
                record.HasUser ? record.User : null);
            RegisteredPod.ParsedProbe(facts);
            return new RegisteredPod(facts) { Version = record.Version };
        }
        catch (Exception unreadable) when (unreadable is FormatException or ArgumentException)
        {
            logger.PodUnreadable($"{record.Namespace}/{record.Name}", unreadable.Message);
            return null;
        }
    }
}

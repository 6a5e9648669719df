using System.Collections.Concurrent;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Nodes;

/// <summary>
/// What the process that owns the links calls. A link must be in <see cref="IGatewayLinks"/> before it is served here,
/// and out of it before it is closed.
/// </summary>
public sealed class NodeSessionService(
    IGrainFactory grains,
    ILocalSiloDetails silo,
    LinkReports reports,
    InventoryRouting inventories,
    TimeProvider time,
    ILogger<NodeSessionService> log)
{
    /// <summary>How often a gateway grain that ended while its link lives is started again.</summary>
    public static readonly TimeSpan PulseEvery = TimeSpan.FromSeconds(3);

    // Well within the time that a node waits for the answer to its Hello.
    private static readonly TimeSpan LongestAsk = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, HeldPodsInbox> _inboxes = new(StringComparer.Ordinal);

    /// <summary>Key of the gateway grain of a link of this silo.</summary>
    public string GatewayOf(string node, string session) => GatewayKey.Of(silo.SiloAddress, node, session).ToString();

    /// <summary>
    /// The greatest incarnation that the node was ever known by, to be told in the answer to its Hello; null when its grain
    /// does not answer soon.
    /// </summary>
    public async Task<uint?> KnownIncarnationAsync(string node, CancellationToken stop)
    {
        try
        {
            return await grains.GetGrain<INodeGrain>(node).KnownIncarnation(stop).WaitAsync(LongestAsk, time, stop);
        }
        catch (Exception problem) when (problem is OrleansException or TimeoutException)
        {
            log.NodeNotAsked(node, problem);
            return null;
        }
    }

    /// <summary>
    /// Feeds the link from the first moment, asks the node for its inventory, and tells the node's grain, however long
    /// that is out of reach. Returns when the node has a newer link: this one should be closed.
    /// </summary>
    public async Task ServeAsync(string session, IGatewayLink link, NodeFacts facts, CancellationToken stop)
    {
        var gateway = GatewayOf(link.NodeName, session);
        var inbox = _inboxes[session] = new HeldPodsInbox(link, inventories, time, log);
        link.RequestInventory("");
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var pulses = PulseAsync(gateway, over.Token);
        var taking = inbox.RunAsync(over.Token);
        var telling = TellNodeAsync(gateway, link, facts, over.Token);
        try
        {
            if (await Task.WhenAny(pulses, taking, telling) != telling || await telling)
            {
                await await Task.WhenAny(pulses, taking);
            }
        }
        finally
        {
            _inboxes.TryRemove(session, out _);
            await over.CancelAsync();
            await Task.WhenAll(pulses, taking, telling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What of a node's report waits for no commit; see <see cref="IPodReports.Observe"/>. Retry when it could not be taken now.</summary>
    public Task<PodReportReply?> ObserveAsync(PodReport report, CancellationToken stop) => reports.ObserveAsync(report, stop);

    /// <summary>What a node reports of one Pod; Retry when it could not be taken now.</summary>
    public Task<PodReportReply> ReportAsync(PodReport report, CancellationToken stop) => reports.ReportAsync(report, stop);

    /// <summary>Everything that the node of this link holds, of one namespace or (empty) of all; returns at once.</summary>
    /// <param name="counter">The newest liveness that the node had given out when it made this.</param>
    public void PutInventory(string session, string ns, ulong counter, IReadOnlyList<HeldPod> held)
    {
        if (_inboxes.TryGetValue(session, out var inbox))
        {
            inbox.PutInventory(ns, counter, held);
        }
    }

    /// <summary>The digest of what the node holds of one namespace; where the registry knows otherwise, its inventory is asked for.</summary>
    public void PutDigest(string session, string ns, HeldDigest digest)
    {
        if (_inboxes.TryGetValue(session, out var inbox))
        {
            inbox.PutDigest(ns, digest);
        }
    }

    /// <summary>The link ended: its gateway grain goes at once instead of with the next message for it.</summary>
    public Task CloseAsync(string session, string node, CancellationToken stop) =>
        grains.GetGrain<IGatewayGrain>(GatewayOf(node, session)).Stop(stop);

    private async Task PulseAsync(string gateway, CancellationToken stop)
    {
        using var pulse = new PeriodicTimer(PulseEvery, time);
        do
        {
            try
            {
                await grains.GetGrain<IGatewayGrain>(gateway).Start(stop);
            }
            catch (Exception failure) when (failure is OrleansException or TimeoutException)
            {
                log.GatewayNotStarted(gateway, failure);
            }
        }
        while (await pulse.WaitForNextTickAsync(stop));
    }

    /// <summary>Until the node's grain has heard; false when the node has a newer link.</summary>
    private async Task<bool> TellNodeAsync(string gateway, IGatewayLink link, NodeFacts facts, CancellationToken stop)
    {
        var node = grains.GetGrain<INodeGrain>(link.NodeName);
        var isNewest = false;
        while (!await reports.TryAsync(async () => isNewest = (await node.Open(link.Session with { Gateway = gateway }, facts, stop)).IsNewest, stop))
        {
            log.NodeNotOpened(link.NodeName);
        }

        return isNewest;
    }
}

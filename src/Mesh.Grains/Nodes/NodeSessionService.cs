using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Nodes;

/// <summary>
/// What the process that owns the links calls, once for each event of a link: opened, heard, ended. A link must be in
/// <see cref="IGatewayLinks"/> before it is opened here, and out of it before it is closed.
/// </summary>
public sealed class NodeSessionService(
    IGrainFactory grains,
    ILocalSiloDetails silo,
    LinkReports reports,
    InventoryRouting inventories,
    ILogger<NodeSessionService> log)
{
    /// <summary>Key of the gateway grain of a link of this silo.</summary>
    public string GatewayOf(string node, string session) => GatewayKey.Of(silo.SiloAddress, node, session).ToString();

    /// <summary>
    /// Starts feeding the link, asks the node for its inventory, and makes its Node object. False: the node has a newer
    /// link, so this one should be closed. The grain of the node may be out of reach: then the link is used all the same.
    /// </summary>
    public async Task<NodeOpened> OpenAsync(string session, IGatewayLink link, NodeFacts facts, CancellationToken stop)
    {
        var gateway = GatewayOf(link.NodeName, session);
        var node = grains.GetGrain<INodeGrain>(link.NodeName);
        var opened = new NodeOpened(true, 0);
        if (!await reports.TryAsync(async () => opened = await node.Open(link.Session with { Gateway = gateway }, facts, stop), stop))
        {
            log.NodeNotOpened(link.NodeName);
        }

        if (opened.IsNewest)
        {
            await grains.GetGrain<IGatewayGrain>(gateway).Start(stop);
            link.RequestInventory("");
        }

        return opened;
    }

    /// <summary>The node's pulse, every 3 s: a gateway grain that ended while its link lives starts again.</summary>
    public Task PulseAsync(string session, IGatewayLink link, CancellationToken stop) =>
        grains.GetGrain<IGatewayGrain>(GatewayOf(link.NodeName, session)).Start(stop);

    /// <summary>What a node reports of one Pod; Retry when it could not be taken now.</summary>
    public Task<PodReportReply> ReportAsync(PodReport report, CancellationToken stop) => reports.ReportAsync(report, stop);

    /// <summary>Everything that a node holds, of one namespace or (empty) of all.</summary>
    /// <param name="counter">The newest liveness that the node had given out when it made this.</param>
    public Task InventoryAsync(string node, ulong counter, string ns, IReadOnlyList<HeldPod> held, CancellationToken stop) =>
        inventories.RouteAsync(node, counter, ns, held, stop);

    /// <summary>The link ended: its gateway grain goes at once instead of with the next message for it.</summary>
    public Task CloseAsync(string session, string node, CancellationToken stop) =>
        grains.GetGrain<IGatewayGrain>(GatewayOf(node, session)).Stop(stop);
}

using Mesh.Core;
using Mesh.Core.Routing;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L4;

/// <summary>What every connection of the L4 proxy needs.</summary>
internal sealed record L4Context(
    Published<RoutingSnapshot> Routes,
    ServiceListenerOptions Options,
    ISuspects Suspects,
    EndpointPick Pick,
    ConnectionSet Connections,
    ProcessLoops Loops,
    TimeProvider Time,
    ILogger Log)
{
    /// <summary>Of what may happen with every connection.</summary>
    public SeldomLines Seldom { get; } = new(Log, Time);
}

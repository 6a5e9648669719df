using System.Diagnostics.Metrics;
using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains;

internal static class GrainsMetrics
{
    private static readonly Meter Meter = new("Mesh.Grains");

    private static readonly Counter<long> Reports = Meter.CreateCounter<long>(
        "mesh.node.reports", "{report}", "Reports of Pods that nodes sent, by what became of them.");

    private static readonly Counter<long> Mismatches = Meter.CreateCounter<long>(
        "mesh.node.digest_mismatches", "{digest}", "Digests of nodes that differed from what the registry knew.");

    private static readonly Counter<long> Changes = Meter.CreateCounter<long>(
        "mesh.endpoint.changes", "{change}", "Endpoints that changed, counted for each linked node.");

    private static readonly Histogram<double> Propagation = Meter.CreateHistogram<double>(
        "mesh.endpoint.propagation.duration", "s", "The last hop: from the gateway grain's first word of changed endpoints to its node's published snapshot.");

    public static void Reported(PodReportResult result) => Reports.Add(1, new KeyValuePair<string, object?>("result", result.ToString()));

    public static void Differed() => Mismatches.Add(1);

    public static void EndpointsChanged(int rows) => Changes.Add(rows);

    public static void Propagated(TimeSpan took) => Propagation.Record(took.TotalSeconds);
}

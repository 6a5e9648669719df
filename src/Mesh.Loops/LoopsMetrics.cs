using System.Diagnostics.Metrics;

namespace Mesh.Loops;

/// <summary>Instruments of the loops (meter <c>Mesh.Loops</c>).</summary>
internal static class LoopsMetrics
{
    private static readonly Meter Meter = new("Mesh.Loops");

    private static readonly Counter<long> Ends = Meter.CreateCounter<long>(
        "mesh.loop.ends",
        "{end}",
        "Background loops that ended though nobody stopped them.");

    /// <param name="loop">One of few: names are constants.</param>
    public static void Ended(string loop) => Ends.Add(1, new KeyValuePair<string, object?>("mesh.loop.name", loop));
}

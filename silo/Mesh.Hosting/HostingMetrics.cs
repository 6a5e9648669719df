using System.Diagnostics.Metrics;

namespace Mesh.Hosting;

/// <summary>The instruments of what both processes share.</summary>
public static class HostingMetrics
{
    /// <summary>The name to subscribe to.</summary>
    public const string MeterName = "Mesh.Hosting";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> DroppedLines = Meter.CreateCounter<long>("mesh.log.dropped", "{line}");

    internal static void LinesDropped(long count) => DroppedLines.Add(count);
}

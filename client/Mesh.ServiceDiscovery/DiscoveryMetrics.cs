using System.Diagnostics.Metrics;

namespace Mesh.ServiceDiscovery;

/// <summary>Instruments of service discovery in an application (meter <c>Mesh.ServiceDiscovery</c>).</summary>
internal static class DiscoveryMetrics
{
    public const string MeterName = "Mesh.ServiceDiscovery";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Resends = Meter.CreateCounter<long>(
        "mesh.client.resends", "{attempt}", "Requests that were sent again, to another endpoint.");

    /// <param name="unsent">Nothing of the request had left.</param>
    public static void Resent(bool unsent) => Resends.Add(1, new KeyValuePair<string, object?>("reason", unsent ? "connect" : "broken"));
}

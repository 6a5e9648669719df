using System.Diagnostics.Metrics;

namespace Mesh.Agent;

/// <summary>Instruments of the Agent (meter <c>Mesh.Agent</c>).</summary>
internal static class AgentMetrics
{
    public const string MeterName = "Mesh.Agent";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Registrations = Meter.CreateCounter<long>(
        "mesh.registrations", "{registration}", "Registrations asked for, by result.");

    private static readonly UpDownCounter<long> Pods = Meter.CreateUpDownCounter<long>(
        "mesh.pods", "{pod}", "Pods registered on this machine.");

    private static readonly UpDownCounter<long> Watches = Meter.CreateUpDownCounter<long>(
        "mesh.discovery.watches", "{watch}", "Open watches of Services by applications of this machine.");

    /// <param name="code">Of a closed set of status codes.</param>
    public static void Asked(int code) => Registrations.Add(1, new KeyValuePair<string, object?>("http.response.status_code", code));

    public static void Began() => Pods.Add(1);

    public static void Ended() => Pods.Add(-1);

    public static void WatchBegan() => Watches.Add(1);

    public static void WatchEnded() => Watches.Add(-1);
}

using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Mesh.Client;

/// <summary>The instruments of the SDK (docs/metrics.md), of the meter <c>Mesh.Client</c>.</summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new("Mesh.Client");

    private static readonly UpDownCounter<long> Pods = Meter.CreateUpDownCounter<long>(
        "mesh.client.pods", "{pod}", "Pods that this process is, by state");

    private static readonly Counter<long> Streams = Meter.CreateCounter<long>(
        "mesh.client.streams", "{stream}", "Registration streams that were opened, by what they began");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "mesh.client.registration.duration", "s", "From the start of the host to the node's first answer");

    /// <summary>A Pod is in one state at a time; one that has ended is in none.</summary>
    public static void Moved(MeshPodState? from, MeshPodState? to)
    {
        if (from is { } left)
        {
            Pods.Add(-1, State(left));
        }

        if (to is { } entered)
        {
            Pods.Add(1, State(entered));
        }
    }

    public static void Registered(TimeSpan after)
    {
        Streams.Add(1, Began("first"));
        Duration.Record(after.TotalSeconds);
    }

    /// <summary>The same Pod, after its node was away.</summary>
    public static void Resumed() => Streams.Add(1, Began("resumed"));

    /// <summary>Another Pod after the first.</summary>
    public static void Replaced() => Streams.Add(1, Began("another"));

    private static KeyValuePair<string, object?> State(MeshPodState state) => new("mesh.pod.state", state switch
    {
        MeshPodState.Unregistered => "unregistered",
        MeshPodState.NotReady => "not_ready",
        MeshPodState.Ready => "ready",
        MeshPodState.Draining => "draining",
        MeshPodState.Terminated => "terminated",
        MeshPodState.Detached => "detached",
        _ => throw new UnreachableException(),
    });

    private static KeyValuePair<string, object?> Began(string what) => new("mesh.stream.began", what);
}

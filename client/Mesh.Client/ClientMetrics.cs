using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Mesh.Client;

/// <summary>The instruments of the SDK (docs/metrics.md), of the meter <c>Mesh.Client</c>.</summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new("Mesh.Client");

    /// <summary>Held weakly: a registration that nobody ended is not kept for being counted.</summary>
    private static readonly ConditionalWeakTable<PodStateBoard, object> Live = [];

    private static readonly MeshPodState[] States =
        [MeshPodState.Unregistered, MeshPodState.NotReady, MeshPodState.Ready, MeshPodState.Draining, MeshPodState.Detached];

    // Counted when asked: what listens is often there only after the Pod is.
    private static readonly ObservableUpDownCounter<long> Pods = Meter.CreateObservableUpDownCounter<long>(
        "mesh.client.pods", Counted, "{pod}", "Pods that this process is, by state");

    private static readonly Counter<long> Streams = Meter.CreateCounter<long>(
        "mesh.client.streams", "{stream}", "Registration streams that were opened, by what they began");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "mesh.client.registration.duration", "s", "From the start of the host to the node's first answer");

    private static readonly Counter<long> Ends = Meter.CreateCounter<long>(
        "mesh.client.loop.ends", "{end}", "Background loops of the SDK that ended though nobody stopped them");

    /// <param name="loop">One of few: names are constants.</param>
    public static void LoopEnded(string loop) => Ends.Add(1, new KeyValuePair<string, object?>("mesh.loop.name", loop));

    /// <summary>Counted from now on, in the state that it is in when somebody asks.</summary>
    public static void Began(PodStateBoard pod) => Live.Add(pod, Meter);

    /// <summary>One that has ended is in no state.</summary>
    public static void Ended(PodStateBoard pod) => Live.Remove(pod);

    public static void Registered(TimeSpan after)
    {
        Streams.Add(1, Began("first"));
        Duration.Record(after.TotalSeconds);
    }

    /// <summary>The same Pod, after its node was away.</summary>
    public static void Resumed() => Streams.Add(1, Began("resumed"));

    /// <summary>Another Pod after the first.</summary>
    public static void Replaced() => Streams.Add(1, Began("another"));

    /// <summary>Of each state, also of those that no Pod is in: it was in one of them before.</summary>
    private static IEnumerable<Measurement<long>> Counted()
    {
        var now = Live.Select(pod => pod.Key.Current).ToList();
        return States.Select(state => new Measurement<long>(now.Count(pod => pod == state), State(state)));
    }

    private static KeyValuePair<string, object?> State(MeshPodState state) => new("mesh.pod.state", state switch
    {
        MeshPodState.Unregistered => "unregistered",
        MeshPodState.NotReady => "not_ready",
        MeshPodState.Ready => "ready",
        MeshPodState.Draining => "draining",
        MeshPodState.Detached => "detached",
        _ => throw new UnreachableException(),
    });

    private static KeyValuePair<string, object?> Began(string what) => new("mesh.stream.began", what);
}

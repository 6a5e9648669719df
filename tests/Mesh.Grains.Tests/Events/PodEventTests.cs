using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Events;

/// <summary>What <c>kubectl describe pod</c> and <c>kubectl get events</c> tell of a Pod's life.</summary>
[Collection(ClusterGroup.Name)]
public class PodEventTests(SharedCluster shared)
{
    private const string Refused = "127.80.0.1:8080: Connection refused";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 30_000)]
    public async Task A_readiness_probe_that_fails_is_one_Event_Unhealthy_with_a_count()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(Unhealthy(pod, 2));
        await pod.ReportAsync(Unhealthy(pod, 2)); // its node repeats what was not acknowledged
        await pod.ReportAsync(pod.Alive("u1", 3));
        await pod.ReportAsync(Unhealthy(pod, 4));
        var told = await UntilEventAsync(pod, "Unhealthy", count: 2);
        Assert.Equal("Warning", (string?)told["type"]);
        Assert.Equal($"Readiness probe failed: {Refused}", (string?)told["message"]);
        Assert.Equal(("Pod", "web", "u1"), ((string?)told["involvedObject"]!["kind"], (string?)told["involvedObject"]!["name"], (string?)told["involvedObject"]!["uid"]));
        Assert.Single(Cluster.Cache().List("", "Event", pod.Name.Namespace).Items);
        await pod.UntilAsync(stored => stored is not null && Ready(stored) is ("ContainersNotReady", Refused));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("StreamClosed", "Warning")]
    [InlineData(PodReasons.Deleted, "Normal")]
    public async Task The_end_of_a_registration_is_an_Event_that_outlives_the_Pod(string reason, string type)
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.End("u1", 2) with { Reason = reason, Message = "Its registration's stream was closed." });
        await pod.ReportAsync(pod.End("u1", 2) with { Reason = reason, Message = "Its registration's stream was closed." });
        var told = await UntilEventAsync(pod, "RegistrationEnded", count: 1);
        Assert.Equal((type, "Its registration's stream was closed."), ((string?)told["type"], (string?)told["message"]));
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task Liveness_waits_for_no_Event_and_the_Event_comes_when_the_store_takes_it()
    {
        var pod = await PodAsync();
        var waits = Cluster.Store.Block((writes, _) => writes.Any(write => write.Key.Kind == "Event"));
        try
        {
            await pod.ReportAsync(Unhealthy(pod, 2));
            await waits.WaitAsync(Stop);
            Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 3))).Result);
        }
        finally
        {
            Cluster.Store.Heal();
        }

        await UntilEventAsync(pod, "Unhealthy", count: 1);
    }

    private static PodReport Unhealthy(ReportedPod pod, ulong liveness) =>
        pod.Alive("u1", liveness, ready: false) with { Reason = PodReasons.Unhealthy, Message = Refused };

    private static (string? Reason, string? Message) Ready(StoredObject stored)
    {
        var ready = JsonNode.Parse(stored.Document.Span)!["status"]!["conditions"]!.AsArray().First(condition => (string?)condition!["type"] == "Ready")!;
        return ((string?)ready["reason"], (string?)ready["message"]);
    }

    private async Task<ReportedPod> PodAsync()
    {
        var pod = new ReportedPod(Cluster, NamespacedName.Of(await Cluster.NamespaceAsync(), "web"), Stop);
        await pod.ReportAsync(pod.Alive("u1", 1));
        return pod;
    }

    private async Task<JsonNode> UntilEventAsync(ReportedPod pod, string reason, int count)
    {
        var cache = Cluster.Cache();
        using var watch = cache.Watch(key => key.Kind == "Event" && key.Namespace == pod.Name.Namespace, cache.Version);
        while (true)
        {
            var found = cache.List("", "Event", pod.Name.Namespace).Items.Select(stored => JsonNode.Parse(stored.Document.Span)!)
                .FirstOrDefault(told => (string?)told["reason"] == reason && (int?)told["count"] == count);
            if (found is not null)
            {
                return found;
            }

            await watch.NextAsync(Stop);
        }
    }
}

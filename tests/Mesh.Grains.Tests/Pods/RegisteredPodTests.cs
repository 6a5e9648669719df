using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Pods;
using Xunit;

namespace Mesh.Grains.Tests.Pods;

public class RegisteredPodTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void A_registration_becomes_a_running_Pod_with_one_container_of_its_name()
    {
        var pod = PodParser.Parse(RegisteredPod.Create(Report(1, """{"app":"web"}"""), "127.0.0.1", Now), 7);
        Assert.Equal("web-1", pod.Name.Name);
        Assert.Equal("uid-1", pod.Uid);
        Assert.Equal("web", pod.Labels["app"]);
        Assert.Equal("a", pod.NodeName);
        Assert.Equal("127.0.0.1", pod.PodIP?.ToString());
        Assert.True(pod.IsRegistered);
        Assert.True(pod.IsReady);
        Assert.Equal(8080, Assert.Single(pod.Ports).Number);
        var document = JsonNode.Parse(RegisteredPod.Create(Report(1, "{}"), "127.0.0.1", Now).Span)!;
        Assert.Equal("web-1", (string?)document["spec"]!["containers"]![0]!["name"]);
        Assert.Equal("Running", (string?)document["status"]!["phase"]);
        Assert.NotNull(document["status"]!["containerStatuses"]![0]!["state"]!["running"]!["startedAt"]);
    }

    [Fact]
    public void A_later_registration_replaces_its_own_labels_and_leaves_those_of_kubectl()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web","track":"old"}"""), "127.0.0.1", Now);
        var labelled = Edit(first, pod => pod["metadata"]!["labels"]!["owner"] = "me");
        var second = RegisteredPod.Register(labelled, Report(2, """{"app":"shop"}"""), Now);
        var labels = PodParser.Parse(second, 1).Labels;
        Assert.Equal("shop", labels["app"]);
        Assert.Equal("me", labels["owner"]);
        Assert.DoesNotContain("track", labels.Keys);
        Assert.Equal((2, 5UL), RegisteredPod.Shown(second));
    }

    [Fact]
    public void A_condition_keeps_its_transition_time_until_its_status_changes()
    {
        var created = RegisteredPod.Create(Report(1, "{}"), "127.0.0.1", Now);
        var same = new PodStatus(true, "", "", "127.0.0.1", "127.0.0.1").Apply(created, Now.AddMinutes(1));
        Assert.Equal("2026-01-02T03:04:05Z", Transition(same));
        var changed = new PodStatus(false, "PortClosed", "nothing listens", "127.0.0.1", "127.0.0.1").Apply(same, Now.AddMinutes(2));
        Assert.Equal("2026-01-02T03:06:05Z", Transition(changed));
        Assert.False(PodParser.Parse(changed, 1).IsReady);
    }

    internal static PodReport Report(long version, string labels) => new(
        "default",
        "web-1",
        "uid-1",
        "a",
        Encoding.UTF8.GetBytes($$$"""{"kind":"Pod","metadata":{"labels":{{{labels}}}},"spec":{"containers":[{"ports":[{"name":"http","containerPort":8080}]}]}}"""),
        version,
        5,
        true,
        false,
        false,
        "",
        "",
        true);

    private static ReadOnlyMemory<byte> Edit(ReadOnlyMemory<byte> document, Action<JsonNode> edit)
    {
        var node = JsonNode.Parse(document.Span)!;
        edit(node);
        return Encoding.UTF8.GetBytes(node.ToJsonString());
    }

    private static string? Transition(ReadOnlyMemory<byte> document) =>
        (string?)JsonNode.Parse(document.Span)!["status"]!["conditions"]!.AsArray().First(c => (string?)c!["type"] == "Ready")!["lastTransitionTime"];
}

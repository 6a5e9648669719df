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
    public void A_registration_that_names_nothing_undoes_nothing_that_kubectl_did()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web","track":"stable","tier":"a"}"""), "127.0.0.1", Now);
        var changed = Edit(first, pod =>
        {
            var labels = pod["metadata"]!["labels"]!.AsObject();
            labels.Remove("app");
            labels["track"] = "canary";
        });
        var second = RegisteredPod.Register(changed, Report(2, """{"app":"web","track":"stable","tier":"a"}""") with { Named = Named([]) }, Now);
        var third = RegisteredPod.Register(second, Report(3, """{"app":"web","track":"stable","tier":"a"}""") with { Named = Named([]) }, Now);
        Assert.Equal("tier=a,track=canary", Labels(third));
        Assert.Equal((3, 5UL), RegisteredPod.Shown(third));
    }

    [Fact]
    public void A_key_that_the_registration_names_wins_once_over_kubectl_also_with_the_value_it_had()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web","track":"stable"}"""), "127.0.0.1", Now);
        var changed = Edit(first, pod => pod["metadata"]!["labels"] = new JsonObject { ["track"] = "canary" });
        var named = RegisteredPod.Register(changed, Report(2, """{"app":"web","track":"stable"}""") with { Named = Named(("track", 2)) }, Now);
        Assert.Equal("track=stable", Labels(named));

        // By kubectl again: what the second version named is not new in the third.
        var again = Edit(named, pod => pod["metadata"]!["labels"]!["track"] = "canary");
        var third = RegisteredPod.Register(again, Report(3, """{"app":"web","track":"stable"}""") with { Named = Named(("track", 2)) }, Now);
        Assert.Equal("track=canary", Labels(third));
    }

    [Fact]
    public void Versions_that_were_folded_into_one_report_lose_no_key_that_one_of_them_named()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web","track":"stable","old":"x"}"""), "127.0.0.1", Now);
        var fifth = RegisteredPod.Register(first, Report(5, """{"app":"shop","track":"stable","new":"y"}""") with { Named = Named(("app", 2), ("new", 4)) }, Now);
        Assert.Equal("app=shop,new=y,track=stable", Labels(fifth));
    }

    [Fact]
    public void A_key_that_the_registration_takes_away_goes_whatever_kubectl_made_of_it_and_is_then_kubectls()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web","track":"stable"}"""), "127.0.0.1", Now);
        var changed = Edit(first, pod => pod["metadata"]!["labels"]!["track"] = "canary");
        var second = RegisteredPod.Register(changed, Report(2, """{"app":"web"}""") with { Named = Named([]) }, Now);
        Assert.Equal("app=web", Labels(second));
        var again = Edit(second, pod => pod["metadata"]!["labels"]!["track"] = "mine");
        Assert.Equal("app=web,track=mine", Labels(RegisteredPod.Register(again, Report(3, """{"app":"web"}""") with { Named = Named([]) }, Now)));
    }

    [Fact]
    public void Of_a_node_that_does_not_count_keys_the_whole_registration_is_applied()
    {
        var first = RegisteredPod.Create(Report(1, """{"app":"web"}"""), "127.0.0.1", Now);
        var changed = Edit(first, pod => pod["metadata"]!["labels"]!["app"] = "mine");
        Assert.Equal("app=web", Labels(RegisteredPod.Register(changed, Report(2, """{"app":"web"}"""), Now)));
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

    private static RegistrationKeys Named(params (string Key, long Version)[] labels) =>
        new(labels.ToDictionary(pair => pair.Key, pair => pair.Version), new Dictionary<string, long>());

    private static string Labels(ReadOnlyMemory<byte> document) =>
        string.Join(',', PodParser.Parse(document, 1).Labels.Select(label => $"{label.Key}={label.Value}"));

    private static ReadOnlyMemory<byte> Edit(ReadOnlyMemory<byte> document, Action<JsonNode> edit)
    {
        var node = JsonNode.Parse(document.Span)!;
        edit(node);
        return Encoding.UTF8.GetBytes(node.ToJsonString());
    }

    private static string? Transition(ReadOnlyMemory<byte> document) =>
        (string?)JsonNode.Parse(document.Span)!["status"]!["conditions"]!.AsArray().First(c => (string?)c!["type"] == "Ready")!["lastTransitionTime"];
}

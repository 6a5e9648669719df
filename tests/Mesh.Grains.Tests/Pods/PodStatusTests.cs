using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Pods;
using Mesh.Grains.Pods;
using Xunit;

namespace Mesh.Grains.Tests.Pods;

/// <summary>What kubectl shows of a Pod that was applied as a manifest, by what its node found there.</summary>
public class PodStatusTests
{
    private const string Refused = "127.0.0.1:80: Connection refused";

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly ReadOnlyMemory<byte> Manifest = Encoding.UTF8.GetBytes(
        """{"kind":"Pod","metadata":{"name":"web","namespace":"default"},"spec":{"containers":[{"name":"web"}]},"status":{"phase":"Pending"}}""");

    [Fact]
    public void Until_its_process_listens_it_is_pending_and_its_container_waits()
    {
        var pod = Shown(Awaited().Apply(Manifest, Now));
        Assert.Equal("Pending", (string?)pod["status"]!["phase"]);
        var container = pod["status"]!["containerStatuses"]![0]!;
        Assert.Equal("ProcessAwaited", (string?)container["state"]!["waiting"]!["reason"]);
        Assert.Equal($"Mesh starts no process; it waits for one that listens there: {Refused}", (string?)container["state"]!["waiting"]!["message"]);
        Assert.False((bool)container["started"]!);
        Assert.False((bool)container["ready"]!);
        Assert.Equal("ProcessAwaited", (string?)pod["status"]!["conditions"]!.AsArray().Single(c => (string?)c!["type"] == "Ready")!["reason"]);
    }

    [Fact]
    public void Once_it_listens_it_runs_and_does_not_go_back_to_pending_when_its_process_is_away()
    {
        var running = new PodStatus(true, "", "", "127.0.0.1", "127.0.0.1").Apply(Awaited().Apply(Manifest, Now), Now.AddMinutes(1));
        Assert.Equal("Running 2026-01-02T03:05:05Z", Life(running));

        var away = Awaited().Apply(running, Now.AddMinutes(2));
        Assert.Equal("Running ProcessAwaited", Life(away));

        var back = new PodStatus(true, "", "", "127.0.0.1", "127.0.0.1").Apply(away, Now.AddMinutes(3));
        Assert.Equal("Running 2026-01-02T03:07:05Z", Life(back));
    }

    [Fact]
    public void A_process_that_listens_and_fails_its_probe_runs_and_is_not_ready()
    {
        var failing = new PodStatus(false, PodStatus.ReasonOf(PodReasons.Unhealthy), "HTTP probe failed with status 503", "127.0.0.1", "127.0.0.1");
        Assert.Equal("Running 2026-01-02T03:04:05Z", Life(failing.Apply(Awaited().Apply(Manifest, Now), Now)));
    }

    [Fact]
    public void While_nothing_is_heard_of_its_node_its_container_is_as_it_was()
    {
        var unknown = new PodStatus(false, PodStatus.NodeUnknown, "nothing is heard of node a", "127.0.0.1", "127.0.0.1");
        Assert.Equal("Pending ProcessAwaited", Life(unknown.Apply(Awaited().Apply(Manifest, Now), Now)));
        var running = new PodStatus(true, "", "", "127.0.0.1", "127.0.0.1").Apply(Manifest, Now);
        Assert.Equal("Running 2026-01-02T03:04:05Z", Life(unknown.Apply(running, Now.AddMinutes(1))));
    }

    [Fact]
    public void What_nobody_here_knows_stays_and_what_is_null_is_written()
    {
        const string Before = """{"kind":"Pod", "spec": {"containers":[{"name":"web"}],"x":1e2} ,"status":{"podIPs":[{"ip":"9.9.9.9"}],"startTime":null,"later":{"a":[1,null]}},"z":0}""";
        var pod = Encoding.UTF8.GetString(new PodStatus(true, "", "", "", "").Apply(Encoding.UTF8.GetBytes(Before), Now).Span);
        Assert.StartsWith(Before[..Before.IndexOf("""{"podIPs""", StringComparison.Ordinal)], pod, StringComparison.Ordinal);
        Assert.EndsWith(""","z":0}""", pod, StringComparison.Ordinal);
        var status = JsonNode.Parse(pod)!["status"]!;
        Assert.Equal("""{"a":[1,null]}""", status["later"]!.ToJsonString());
        Assert.Equal("9.9.9.9", (string?)status["podIPs"]![0]!["ip"]); // no address is known that it should be
        Assert.Equal("2026-01-02T03:04:05Z", (string?)status["startTime"]);
        var none = JsonNode.Parse(new PodStatus(true, "", "", "", "").Apply("""{"spec":{},"status":null}"""u8.ToArray(), Now).Span)!;
        Assert.Equal("Running", (string?)none["status"]!["phase"]);
    }

    [Fact]
    public void A_silo_that_has_not_heard_of_it_yet_goes_on_showing_what_is_stored()
    {
        var stored = Awaited().Apply(Manifest, Now);
        var shown = ShownPod.Read(stored);
        var status = PodStatus.Stored(shown, "127.0.0.1", "127.0.0.1");
        Assert.True(status.IsShownBy(shown));
        Assert.Equal("Pending ProcessAwaited", Life(status.Apply(stored, Now)));
    }

    private static PodStatus Awaited() => new(false, PodStatus.ReasonOf(PodReasons.ProcessAwaited), Refused, "127.0.0.1", "127.0.0.1");

    private static string Life(ReadOnlyMemory<byte> document)
    {
        var status = Shown(document)["status"]!;
        var state = status["containerStatuses"]![0]!["state"]!;
        return $"{(string?)status["phase"]} {(string?)state["waiting"]?["reason"] ?? (string?)state["running"]!["startedAt"]}";
    }

    private static JsonNode Shown(ReadOnlyMemory<byte> document) => JsonNode.Parse(document.Span)!;
}

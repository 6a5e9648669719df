using System.Globalization;
using System.Net;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>A node whose files may grow no further refuses what it could not keep, and keeps what it has answered.</summary>
public sealed class FullDiskTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task What_a_full_disk_refused_is_not_there_and_what_was_answered_outlives_the_node()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var echo = new TcpEcho();
        var body = new { labels = new { v = "1" }, ports = new[] { new { containerPort = echo.Port } } };
        await using var pod = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web", body, Stop);
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };

        await LimitFilesAsync(machine.NodePid, "1");
        var (code, message) = await PatchAsync(node, "2");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Contains("could not be written to the node", message, StringComparison.Ordinal);
        Assert.Equal("1", await LabelAsync(node));

        await LimitFilesAsync(machine.NodePid, "unlimited");
        Assert.Equal(HttpStatusCode.OK, (await PatchAsync(node, "3")).Code);
        await LimitFilesAsync(machine.NodePid, "1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PatchAsync(node, "4")).Code);

        var killed = machine.NodePid;
        Signals.Kill(killed);
        await Eventually.Meets("another node holds the Pod", _ => LabelAsync(node), label => label == "3", Soon);
        await using var again = await RegisteredPod.RegisterAsync(machine.NodeUrl, "default", "web", body, Stop, pod.Uid);
        Assert.Equal(pod.Uid, again.Uid);
    }

    private static async Task<(HttpStatusCode Code, string Message)> PatchAsync(HttpClient node, string label)
    {
        using var answer = await node.PatchAsync("/v1/namespaces/default/pods/web", new StringContent($$"""{"labels":{"v":"{{label}}"} }"""), Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static async Task<string> LabelAsync(HttpClient node)
    {
        using var pod = JsonDocument.Parse(await node.GetStringAsync("/v1/namespaces/default/pods/web", Stop));
        return pod.RootElement.GetProperty("metadata").GetProperty("labels").GetProperty("v").GetString()!;
    }

    /// <summary>RLIMIT_FSIZE of a running process: beyond that size its writes fail, as on a full disk.</summary>
    private static async Task LimitFilesAsync(int pid, string bytes)
    {
        await using var prlimit = ProcessUnderTest.Start("prlimit", ["--pid", pid.ToString(CultureInfo.InvariantCulture), $"--fsize={bytes}:unlimited"]);
        Assert.Equal(0, (await prlimit.RunToEndAsync(Stop)).Code);
    }
}

using System.Net;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>The two processes are one unit to their user, and neither dies of the other's death.</summary>
public sealed class StartAndStopTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_started_silo_tells_everything_needed_and_then_is_quiet()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();

        foreach (var part in (string[])[machine.ApiUrl.ToString().TrimEnd('/'), machine.NodeUrl.ToString().TrimEnd('/'), machine.DataDir,
            $"export KUBECONFIG={machine.Kubeconfig}", $"mesh-silo {machine.SiloPid}", $"mesh-node {machine.NodePid}", "node.log", "--stop", "start_again"])
        {
            Assert.Contains(part, machine.Process.Output, StringComparison.Ordinal);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(machine.Kubeconfig));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(machine.DataDir));
        Assert.DoesNotContain("Orleans", machine.Process.Errors, StringComparison.Ordinal);
        using var api = machine.Api();
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/readyz", Stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/v1/namespaces/default", Stop)).StatusCode);
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        foreach (var path in (string[])["/livez", "/readyz", "/healthz"])
        {
            Assert.Equal(HttpStatusCode.OK, (await node.GetAsync(path, Stop)).StatusCode);
        }

        var told = machine.Process.Output;
        Assert.Equal(0, await machine.StopAsync(Stop));
        Assert.Equal(told, machine.Process.Output);
    }

    [Fact(Timeout = 180_000)]
    public async Task Ctrl_C_ends_both_in_order_with_exit_code_0_and_a_restart_uses_the_same_ports()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var (api, node, ingress, dns) = (machine.ApiUrl, machine.NodeUrl, machine.IngressUrl, machine.Dns);
        var nodePid = machine.NodePid;

        Assert.Equal(0, await machine.StopAsync(Stop));
        Assert.DoesNotContain("did not drain in time", machine.Process.Errors, StringComparison.Ordinal);
        Assert.True(Signals.HasEnded(nodePid));
        Assert.False(File.Exists(Path.Combine(machine.DataDir, "silo.pid")));

        await machine.StartAsync();
        Assert.Equal((api, node, ingress, dns), (machine.ApiUrl, machine.NodeUrl, machine.IngressUrl, machine.Dns));
        Assert.NotEqual(nodePid, machine.NodePid);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_killed_silo_leaves_its_node_and_the_next_one_takes_it_over()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var nodePid = machine.NodePid;

        await machine.KillSiloAsync(Stop);
        using (var node = new HttpClient { BaseAddress = machine.NodeUrl })
        {
            Assert.Equal(HttpStatusCode.OK, (await node.GetAsync("/readyz", Stop)).StatusCode);
        }

        await machine.StartAsync();
        Assert.Equal(nodePid, machine.NodePid);
        Assert.Contains("(kept running)", machine.Process.Output, StringComparison.Ordinal);

        // Its own session: a terminal's signal to the silo's group never reaches it, and its end is waited for all the same.
        Assert.Equal(0, await machine.StopAsync(Stop));
        Assert.True(Signals.HasEnded(nodePid));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_stop_after_a_take_over_says_nothing_of_grains_that_found_no_silo()
    {
        await using var machine = await SiloUnderTest.StartNewAsync(["--log-format", "text"]);
        await using var echo = new TcpEcho();
        using (var api = machine.Api())
        {
            await SomeService.CreateAsync(api, "web", "web", [new { port = 18080, targetPort = echo.Port }], Stop);
        }

        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "web", new { labels = new { app = "web" }, ports = new[] { new { containerPort = echo.Port } } }, Stop);
        await machine.KillSiloAsync(Stop);
        await machine.StartAsync();

        Assert.Equal(0, await machine.StopAsync(Stop));

        Assert.Equal("", machine.Process.Errors);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_node_that_dies_is_started_again()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var first = machine.NodePid;

        Signals.Kill(first);

        await Eventually.Meets("another node", _ => Task.FromResult(machine.NodePid), pid => pid != first, TimeSpan.FromSeconds(60));
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        await Eventually.Is("the node answers", async stop => (await node.GetAsync("/readyz", stop)).StatusCode, HttpStatusCode.OK, TimeSpan.FromSeconds(60));
    }

    [Fact(Timeout = 180_000)]
    public async Task The_nodes_log_begins_anew_at_10_MiB_and_one_older_file_is_kept()
    {
        await using var machine = SiloUnderTest.Prepare();
        var log = Path.Combine(machine.DataDir, "node.log");
        await File.WriteAllTextAsync(log, new string('x', 10 * 1024 * 1024) + "\n", Stop);

        await machine.StartAsync();

        await Eventually.Meets("the log", _ => Task.FromResult(new FileInfo(log).Length), length => length is > 0 and < 1024 * 1024, TimeSpan.FromSeconds(60));
        Assert.StartsWith("xxx", (await File.ReadAllTextAsync(log + ".1", Stop))[..3], StringComparison.Ordinal);
        Assert.Contains("mesh-node", machine.NodeLog, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task Stop_ends_both_and_says_so_and_a_node_that_was_left_alone_too()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var (silo, itsNode) = (machine.SiloPid, machine.NodePid);

        await using (var stop = ProcessUnderTest.Start(BuiltProgram.Silo, ["--stop", "--data-dir", machine.DataDir]))
        {
            var (code, output, _) = await stop.RunToEndAsync(Stop);
            Assert.Equal((0, $"mesh-silo (pid {silo}) stopped\nmesh-node (pid {itsNode}) stopped\n"), (code, output));
        }

        Assert.Equal(0, await machine.Process.WaitForExitAsync(Stop));

        await machine.StartAsync();
        await machine.KillSiloAsync(Stop);
        var node = machine.NodePid;
        await using (var stop = ProcessUnderTest.Start(BuiltProgram.Silo, ["--stop", "--data-dir", machine.DataDir]))
        {
            var (code, output, _) = await stop.RunToEndAsync(Stop);
            Assert.Equal((0, $"mesh-node (pid {node}) stopped\n"), (code, output));
        }

        await using (var stop = ProcessUnderTest.Start(BuiltProgram.Silo, ["--stop", "--data-dir", machine.DataDir]))
        {
            Assert.Contains("nothing runs", (await stop.RunToEndAsync(Stop)).Output, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_node_whose_directory_vanishes_ends_itself()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var node = machine.NodePid;
        await machine.KillSiloAsync(Stop);

        Directory.Delete(machine.DataDir, recursive: true);

        await Eventually.Is("the node has ended", () => Signals.HasEnded(node), true, TimeSpan.FromSeconds(60));
        Directory.CreateDirectory(machine.DataDir);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_silo_whose_directory_vanishes_says_so_and_ends_with_its_node()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        var node = machine.NodePid;

        Directory.Delete(machine.DataDir, recursive: true);

        Assert.Equal(1, await machine.Process.WaitForExitAsync(Stop));
        Assert.Contains("has vanished; mesh-silo ends", machine.Process.Errors, StringComparison.Ordinal);
        await Eventually.Is("the node has ended", () => Signals.HasEnded(node), true, TimeSpan.FromSeconds(60));
        Directory.CreateDirectory(machine.DataDir);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_long_data_directory_works()
    {
        await using var machine = SiloUnderTest.Prepare();
        var deep = Path.Combine(machine.DataDir, new string('d', 120));
        var runtime = TestDirectory.Make("mesh-run-"); // where sockets go whose own path is too long
        await using var silo = ProcessUnderTest.Start(
            BuiltProgram.Silo,
            ["--data-dir", deep, "--api-listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0", "--ingress-http", "127.0.0.1:0", "--ingress-https", "127.0.0.1:0", "--dns-listen", "127.0.0.1:0", "--silo-port", "0"],
            new Dictionary<string, string> { ["XDG_RUNTIME_DIR"] = runtime });

        await Eventually.Is("mesh-silo starts", () => SiloUnderTest.HasToldAll(silo.Output), true, TimeSpan.FromSeconds(60));
        Assert.Single(Directory.EnumerateDirectories(runtime));
        Signals.Terminate(silo.Pid);
        Assert.Equal(0, await silo.WaitForExitAsync(Stop));
        Assert.Empty(Directory.EnumerateFileSystemEntries(runtime));
    }
}

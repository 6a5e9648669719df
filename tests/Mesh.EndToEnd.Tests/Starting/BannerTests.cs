using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>What a start tells can be pasted and read, by people and by programs.</summary>
public sealed partial class BannerTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_program_gets_one_line_of_JSON_whose_commands_run_from_any_directory()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();

        using (var told = JsonDocument.Parse(Assert.Single(machine.Process.Output.TrimEnd().Split('\n'))))
        {
            Assert.Equal("Mesh is up.", Field(told, "message"));
            Assert.Equal(machine.IngressUrl, new Uri(Field(told, "ingress")));
            Assert.Equal("NodePorts 30000-32767 on every address", Field(told, "open_to_the_network"));
            Assert.Equal($"export KUBECONFIG={machine.Kubeconfig}", Field(told, "kubectl"));

            await PastedAsync(Field(told, "stop"));
            Assert.Equal(0, await machine.Process.WaitForExitAsync(Stop));

            await using var again = ProcessUnderTest.Start("sh", ["-c", "cd / && exec " + Field(told, "start_again")]);
            await Eventually.Is("mesh-silo starts again", () => SiloUnderTest.HasToldAll(again.Output), true, Soon);
            Assert.Equal(again.Pid, machine.SiloPid);
            await PastedAsync(Field(told, "stop"));
            Assert.Equal(0, await again.WaitForExitAsync(Stop));
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_person_gets_lines_that_can_be_pasted_and_name_what_is_open_to_the_network()
    {
        await using var machine = SiloUnderTest.Prepare(
            ["--log-format", "text"], new Dictionary<string, string> { ["MESH_CLUSTER_DOMAIN"] = "mesh.test", ["MESH_NODEPORT_ADDRESSES"] = "127.0.0.1" });
        machine.IngressHttp = "0.0.0.0:0";
        await machine.StartAsync();

        var rows = machine.Process.Output.TrimEnd().Split('\n').Skip(1).ToDictionary(line => line[2..21].TrimEnd(), line => line[22..]);
        Assert.Equal(machine.IngressUrl, new Uri(rows["Ingress"]));
        Assert.Equal($"Ingress on {machine.Address("ingressHttp")}", rows["open to the network"]);
        Assert.StartsWith(machine.Program + " --data-dir " + machine.DataDir, rows["start again"], StringComparison.Ordinal);
        Assert.EndsWith(" --log-format text --nodeport-addresses 127.0.0.1 --cluster-domain mesh.test", rows["start again"], StringComparison.Ordinal);
        Assert.Equal("", machine.Process.Errors);

        await PastedAsync(rows["stop"]);
        Assert.Equal(0, await machine.Process.WaitForExitAsync(Stop));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_relative_data_directory_is_told_whole()
    {
        await using var machine = SiloUnderTest.Prepare(["--log-format", "text"]);
        var line = $"cd {Path.GetDirectoryName(machine.DataDir)} && exec {BuiltProgram.Silo} --data-dir ./{Path.GetFileName(machine.DataDir)}"
            + " --api-listen 127.0.0.1:0 --node-listen 127.0.0.1:0 --ingress-http 127.0.0.1:0 --ingress-https 127.0.0.1:0 --dns-listen 127.0.0.1:0 --silo-port 0 --log-format text";
        await using var silo = ProcessUnderTest.Start("sh", ["-c", line]);

        await Eventually.Is("mesh-silo starts", () => SiloUnderTest.HasToldAll(silo.Output), true, Soon);

        Assert.DoesNotContain(" ./", silo.Output, StringComparison.Ordinal);
        Assert.Contains($"--data-dir {machine.DataDir} --api-listen", silo.Output, StringComparison.Ordinal);
        Signals.Terminate(silo.Pid);
        Assert.Equal(0, await silo.WaitForExitAsync(Stop));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_is_well_is_quiet_and_every_line_of_its_node_is_JSON_with_names_of_one_kind()
    {
        await using var machine = await SiloUnderTest.StartNewAsync(["--log-format", "text"]);
        using (var api = machine.Api())
        {
            using var made = await api.PostAsJsonAsync("/api/v1/namespaces", new { apiVersion = "v1", kind = "Namespace", metadata = new { name = "quiet" } }, Stop);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        }

        using (var client = new HttpClient { BaseAddress = machine.IngressUrl })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/it's+here", Stop)).StatusCode);
        }

        await Eventually.Is("the access line", () => machine.NodeLog.Contains("\"/it's+here\"", StringComparison.Ordinal), true, Soon);
        Assert.Equal("", machine.Process.Errors);
        foreach (var line in machine.NodeLog.TrimEnd().Split('\n'))
        {
            using var json = JsonDocument.Parse(line);
            var names = json.RootElement.EnumerateObject().Select(property => property.Name).ToList();
            Assert.Equal(names.Distinct(), names);
            Assert.All(names, name => Assert.Matches(SnakeCase(), name));
            Assert.False(json.RootElement.GetProperty("level").ValueEquals("warning"), line);
        }
    }

    private static string Field(JsonDocument told, string name) => told.RootElement.GetProperty(name).GetString()!;

    private static async Task PastedAsync(string command)
    {
        await using var shell = ProcessUnderTest.Start("sh", ["-c", "cd / && " + command]);
        var (code, output, errors) = await shell.RunToEndAsync(Stop);
        Assert.True(code == 0, $"{command}: {output}{errors}");
        Assert.Contains("mesh-silo (pid", output, StringComparison.Ordinal);
        Assert.Contains("mesh-node (pid", output, StringComparison.Ordinal);
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex SnakeCase();
}

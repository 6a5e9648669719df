using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Reflection.Metadata;
using System.Text.RegularExpressions;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>The packages of the SDK, and what they do in projects outside the repository.</summary>
public sealed partial class PackagesTests(PackedSdk sdk) : IClassFixture<PackedSdk>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly string[] Frameworks = ["net8.0", "net9.0", "net10.0"];
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE"); // Portable PDB format, CustomDebugInformation

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Code for each framework, its readme and licence, symbols with their sources; the others in the same version; and no part of Mesh that is no package.</summary>
    [Fact]
    [Trait("Row", "ECO-2")]
    public void Each_package_is_whole_and_takes_the_others_in_its_own_version()
    {
        var packages = Directory.GetFiles(sdk.Feed, "*.nupkg");
        Assert.Equal(5, packages.Length);
        Assert.All(packages, package =>
        {
            var id = Path.GetFileName(package)[..^$".{PackedSdk.Version}.nupkg".Length];
            using var zip = ZipFile.OpenRead(package);
            using var symbols = ZipFile.OpenRead(Path.ChangeExtension(package, "snupkg"));
            Assert.Subset(zip.Entries.Select(entry => entry.FullName).ToHashSet(), Frameworks.Select(framework => $"lib/{framework}/{id}.dll").Append("README.md").ToHashSet());
            Assert.Subset(symbols.Entries.Select(entry => entry.FullName).ToHashSet(), Frameworks.Select(framework => $"lib/{framework}/{id}.pdb").ToHashSet());
            Assert.All(Frameworks, framework => Assert.Empty(WithoutSource(symbols.GetEntry($"lib/{framework}/{id}.pdb")!)));
            using var reader = new StreamReader(zip.GetEntry($"{id}.nuspec")!.Open());
            var nuspec = reader.ReadToEnd();
            Assert.Contains("<license type=\"expression\">Apache-2.0</license>", nuspec, StringComparison.Ordinal);
            Assert.Matches("<description>.{20,}</description>", nuspec);
            Assert.DoesNotContain("Mesh.Core", nuspec, StringComparison.Ordinal);
            Assert.All(Parts().Matches(nuspec), part => Assert.Equal($"[{PackedSdk.Version}]", part.Groups[1].Value));
        });
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-2")]
    public async Task A_project_outside_the_repository_takes_the_packages_and_is_served_as_the_README_says()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        var address = await SomeService.CreateAsync(api, "my-api", "my-api", [new { port = SomeService.Port, targetPort = "http" }], Stop);
        await using var app = ProcessUnderTest.Start(
            sdk.Program("my-api"),
            [],
            new Dictionary<string, string>
            {
                ["MESH_NODE_URL"] = machine.NodeUrl.ToString(),
                ["MESH_ADDRESS"] = "allocate",
                ["Mesh__AllocateTimeout"] = "00:00:30",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:8080",
            });
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await Eventually.Is("what the ClusterIP answers", stop => client.GetStringAsync($"http://{new IPEndPoint(address, SomeService.Port)}/", stop), "hello\n", Soon);
        Signals.Terminate(app.Pid);
        Assert.Equal(0, await app.WaitForExitAsync(Stop));
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task Applications_that_call_each_other_by_name_fail_no_request_while_Pods_node_and_silo_are_killed()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        object[] ports = [new { name = "http", port = SomeService.Port, targetPort = "http" }];
        await SomeService.CreateAsync(api, "kitchen", "kitchen", ports, Stop);
        await SomeService.CreateAsync(api, "table", "table", ports, Stop);
        await using var pods = new OutsidePods(sdk, machine);
        var (table, kitchen) = (pods.Start("table", "table-1"), pods.Start("kitchen", "kitchen-1"));
        pods.Start("table", "table-2");
        pods.Start("kitchen", "kitchen-2");
        await using var asked = new AskedPods(await pods.UrlAsync("table-1"), await pods.UrlAsync("kitchen-1"));
        await asked.AnswersAsync("kitchen-1", "kitchen-2", "table-1", "table-2");

        // A Pod dies, and another one comes.
        pods.Kill("kitchen-2");
        pods.Start("kitchen", "kitchen-3");
        await asked.AnswersAsync("kitchen-1", "kitchen-3");

        // The node dies and comes back: what comes after it is heard of.
        Signals.Kill(machine.NodePid);
        await asked.AnswersAsync("kitchen-1", "kitchen-3", "table-1", "table-2");
        await Eventually.Meets("the node is back", _ => Task.FromResult(table.Output + kitchen.Output), said => said.Contains("The node is back", StringComparison.Ordinal), Soon);
        pods.Start("table", "table-3");
        await asked.AnswersAsync("table-1", "table-2", "table-3");

        // The silo dies, then a Pod: the node alone says so.
        await machine.KillSiloAsync(Stop);
        pods.Kill("table-2");
        await asked.AnswersAsync("table-1", "table-3", "kitchen-1", "kitchen-3");

        // Nobody is left who could say so.
        Signals.Kill(machine.NodePid);
        pods.Kill("kitchen-3");
        await asked.AnswersAsync("table-1", "table-3", "kitchen-1");
        await asked.AnswersAsync("kitchen-1");

        await machine.StartAsync();
        pods.Start("kitchen", "kitchen-4");
        await asked.AnswersAsync("kitchen-1", "kitchen-4", "table-1", "table-3");
        Assert.Empty(await asked.FailuresAsync());
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task Without_a_node_an_application_starts_all_the_same_and_says_what_is_missing()
    {
        // Taken, and nobody listens.
        using var place = new Socket(SocketType.Stream, ProtocolType.Tcp);
        place.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var node = $"http://{place.LocalEndPoint}";
        await using var app = ProcessUnderTest.Start(
            sdk.Program("table"),
            [],
            new Dictionary<string, string> { ["MESH_NODE_URL"] = node, ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });
        var listens = await Eventually.Meets("where it listens", _ => Task.FromResult(Listens().Match(app.Output)), found => found.Success, Soon);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var answer = await client.GetAsync(listens.Groups[1].Value + "/other", Stop);
        var told = await answer.Content.ReadAsStringAsync(Stop);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.StartsWith($"Service default/kitchen cannot be called by name: the node at {node} ", told, StringComparison.Ordinal);
        Assert.Contains("is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen?", told, StringComparison.Ordinal);
        await Eventually.Meets(
            "what is logged",
            _ => Task.FromResult(app.Output),
            log => log.Contains($"Not registered with the node at {node}: Connection refused; is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen?", StringComparison.Ordinal),
            Soon);
        Signals.Terminate(app.Pid);
        Assert.Equal(0, await app.WaitForExitAsync(Stop));
    }

    /// <summary>The files that a debugger would have to ask somebody for.</summary>
    private static List<string> WithoutSource(ZipArchiveEntry symbols)
    {
        using var packed = symbols.Open();
        using var pdb = new MemoryStream();
        packed.CopyTo(pdb);
        pdb.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(pdb);
        var reader = provider.GetMetadataReader();
        return
        [
            .. from document in reader.Documents
               where !reader.GetCustomDebugInformation(document).Any(info => reader.GetGuid(reader.GetCustomDebugInformation(info).Kind) == EmbeddedSource)
               select reader.GetString(reader.GetDocument(document).Name),
        ];
    }

    [GeneratedRegex("Now listening on: (http://\\S+)")]
    private static partial Regex Listens();

    [GeneratedRegex("<dependency id=\"Mesh\\.[^\"]+\" version=\"([^\"]*)\"")]
    private static partial Regex Parts();
}

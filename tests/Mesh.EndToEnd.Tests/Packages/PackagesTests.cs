using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>The SDK as an application gets it: packed, restored from a folder into a project of its own, and run as the README says.</summary>
public sealed partial class PackagesTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);
    private static readonly string[] Frameworks = ["net8.0", "net9.0", "net10.0"];
    private static readonly string Version = $"0.1.0-test.{Environment.ProcessId}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    [Trait("Row", "ECO-2")]
    public async Task A_project_outside_the_repository_takes_the_packages_and_is_served_as_the_README_says()
    {
        var home = TestDirectory.Make("mesh-packages-");
        var feed = Path.Combine(home, "feed");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        await DotnetAsync(home, "pack", Path.Combine(BuiltProgram.Repository, "client", "Packages.slnf"), "--no-build", "-c", configuration, "-o", feed, $"-p:Version={Version}");
        var packages = Directory.GetFiles(feed, "*.nupkg");
        Assert.Equal(5, packages.Length);
        Assert.All(packages, IsWhole);

        var project = Path.Combine(home, "my-api");
        Write(project, feed, home);
        await DotnetAsync(home, "build", project);

        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        var address = await SomeService.CreateAsync(api, "my-api", "my-api", [new { port = SomeService.Port, targetPort = "http" }], Stop);
        await using var app = ProcessUnderTest.Start(
            Path.Combine(project, "bin", "Debug", "net10.0", "my-api"),
            [],
            new Dictionary<string, string> { ["MESH_NODE_URL"] = machine.NodeUrl.ToString(), ["MESH_ADDRESS"] = "allocate", ["ASPNETCORE_URLS"] = "http://127.0.0.1:8080" });
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await Eventually.Is("what the ClusterIP answers", stop => client.GetStringAsync($"http://{new IPEndPoint(address, SomeService.Port)}/", stop), "hello\n", Soon);
        Signals.Terminate(app.Pid);
        Assert.Equal(0, await app.WaitForExitAsync(Stop));
    }

    /// <summary>Code for each framework, its readme and licence, symbols; the others in the same version; and no part of Mesh that is no package.</summary>
    private static void IsWhole(string package)
    {
        var id = Path.GetFileName(package)[..^$".{Version}.nupkg".Length];
        using var zip = ZipFile.OpenRead(package);
        using var symbols = ZipFile.OpenRead(Path.ChangeExtension(package, "snupkg"));
        Assert.Subset(zip.Entries.Select(entry => entry.FullName).ToHashSet(), Frameworks.Select(framework => $"lib/{framework}/{id}.dll").Append("README.md").ToHashSet());
        Assert.Subset(symbols.Entries.Select(entry => entry.FullName).ToHashSet(), Frameworks.Select(framework => $"lib/{framework}/{id}.pdb").ToHashSet());
        using var reader = new StreamReader(zip.GetEntry($"{id}.nuspec")!.Open());
        var nuspec = reader.ReadToEnd();
        Assert.Contains("<license type=\"expression\">Apache-2.0</license>", nuspec, StringComparison.Ordinal);
        Assert.Matches("<description>.{20,}</description>", nuspec);
        Assert.DoesNotContain("Mesh.Core", nuspec, StringComparison.Ordinal);
        Assert.All(Parts().Matches(nuspec), part => Assert.Equal($"[{Version}]", part.Groups[1].Value));
    }

    /// <summary>As <c>dotnet new web</c> makes it, with the README's program; the other code of the documents is compiled beside it.</summary>
    private static void Write(string project, string feed, string home)
    {
        Directory.CreateDirectory(project);
        File.WriteAllText(Path.Combine(project, "Program.cs"), Code("README.md").First(block => block.Contains("MapMeshHealth", StringComparison.Ordinal)));
        File.WriteAllText(Path.Combine(project, "Blocks.cs"), Blocks([.. Code("client/README.md"), .. Code("docs/sdk.md"), .. Code("docs/service-discovery.md")]));
        File.WriteAllText(Path.Combine(project, "my-api.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Mesh.Client.AspNetCore" Version="{Version}" />
                <PackageReference Include="Mesh.Client.OpenTelemetry" Version="{Version}" />
              </ItemGroup>
            </Project>
            """);
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } moved
            ? moved
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(Path.Combine(home, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="mesh" value="{feed}" /></packageSources>
              <fallbackPackageFolders><add key="known" value="{known}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    private static IEnumerable<string> Code(string document) =>
        CSharp().Matches(File.ReadAllText(Path.Combine(BuiltProgram.Repository, document))).Select(block => block.Groups[1].Value);

    private static string Blocks(IReadOnlyList<string> blocks)
    {
        Assert.True(blocks.Count >= 5, $"only {blocks.Count} blocks were found");
        var bodies = blocks.Select((block, i) => $"static class Block{i}\n{{\n    public static async Task RunAsync(string[] args)\n    {{\nawait Task.CompletedTask;\n{Using().Replace(block, "")}    }}\n}}\n");
        return string.Concat(blocks.SelectMany(block => Using().Matches(block).Select(match => match.Value)).Distinct()) + string.Concat(bodies);
    }

    /// <summary>With nothing that stays: no build server outlives the test.</summary>
    private static async Task DotnetAsync(string home, params string[] arguments)
    {
        await using var dotnet = ProcessUnderTest.Start(
            "dotnet",
            [.. arguments, "-nodeReuse:false", "-p:UseSharedCompilation=false"],
            new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(home, "nuget"), ["DOTNET_NOLOGO"] = "1" });
        Assert.True(await dotnet.WaitForExitAsync(Stop) == 0, dotnet.Output + dotnet.Errors);
    }

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex("<dependency id=\"Mesh\\.[^\"]+\" version=\"([^\"]*)\"")]
    private static partial Regex Parts();

    [GeneratedRegex("^using [A-Z][A-Za-z.]*;\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}

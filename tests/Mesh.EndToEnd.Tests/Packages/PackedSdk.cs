using System.Text.Json;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>
/// The SDK as an application gets it: packed once into a folder, and projects outside the repository that are restored from
/// there and built. What else they need, they get from where the repository itself was restored to: no feed is asked.
/// </summary>
public sealed class PackedSdk : IAsyncLifetime
{
    public static readonly string Version = $"0.1.0-test.{Environment.ProcessId}";

    private readonly string _home = TestDirectory.Make("mesh-packages-");

    /// <summary>What was packed.</summary>
    public string Feed => Path.Combine(_home, "feed");

    /// <summary>A project's program, ready to be started.</summary>
    public string Program(string project) => Path.Combine(_home, project, "bin", "Debug", "net10.0", project);

    public async ValueTask InitializeAsync()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        await DotnetAsync(time.Token, "pack", Path.Combine(BuiltProgram.Repository, "client", "Packages.slnf"), "--no-build", "-c", configuration, "-o", Feed, $"-p:Version={Version}");
        File.Copy(Path.Combine(BuiltProgram.Repository, "global.json"), Path.Combine(_home, "global.json"));
        File.WriteAllText(Path.Combine(_home, "nuget.config"), NuGetConfig());
        OutsideProjects.Write(_home);
        await DotnetAsync(time.Token, "build", Path.Combine(_home, "outside.slnx"));
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Whatever the machine and its user have configured, only this counts.</summary>
    private string NuGetConfig() => $"""
        <configuration>
          <packageSources><clear /><add key="mesh" value="{Feed}" /></packageSources>
          <packageSourceMapping><clear /></packageSourceMapping>
          <disabledPackageSources><clear /></disabledPackageSources>
          <fallbackPackageFolders><clear />{string.Concat(RestoredTo().Select((folder, i) => $"<add key=\"known{i}\" value=\"{folder}\" />"))}</fallbackPackageFolders>
        </configuration>
        """;

    /// <summary>As the repository's own restore has written it: also where the user or the environment moved that folder.</summary>
    private static List<string> RestoredTo()
    {
        using var assets = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(BuiltProgram.Repository, "artifacts", "obj", "Mesh.Client.AspNetCore", "project.assets.json")));
        return [.. assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)];
    }

    /// <summary>With nothing that stays: no build server outlives the test, and no package of it stays in the user's folder.</summary>
    private async Task DotnetAsync(CancellationToken stop, params string[] arguments)
    {
        await using var dotnet = ProcessUnderTest.Start(
            "dotnet",
            [.. arguments, "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false"],
            new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(_home, "nuget"), ["DOTNET_NOLOGO"] = "1" });
        Assert.True(await dotnet.WaitForExitAsync(stop) == 0, dotnet.Output + dotnet.Errors);
    }
}

using System.Diagnostics;
using System.Text.RegularExpressions;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Architecture.Tests;

/// <summary>
/// A miniature of this repository, built once: its own build files, Core's own project file and one ordinary project,
/// with one planted file for each rule that the compiler and its analyzers must keep.
/// </summary>
public sealed partial class PlantedBuild : IAsyncLifetime
{
    private static readonly string[] BuildFiles =
        [".editorconfig", "global.json", "Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", "BannedSymbols.Product.txt", "BannedSymbols.Core.txt"];

    private readonly DirectoryInfo _root = new(TestDirectory.Make("mesh-planted-"));

    /// <summary>What the build said, <c>file code</c> an error.</summary>
    public IReadOnlySet<string> Errors { get; private set; } = new HashSet<string>();

    public string Output { get; private set; } = "";

    public int ExitCode { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var repository = SourceTree.OfThisRepository();
        foreach (var file in BuildFiles.Append("src/Mesh.Core/Mesh.Core.csproj"))
        {
            Plant(file, repository.Read(file));
        }

        Plant("src/Mesh.Planted/Mesh.Planted.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>
                <FrameworkReference Include="Microsoft.AspNetCore.App" />
              </ItemGroup>
            </Project>
            """);
        Plant("Planted.slnx", """
            <Solution>
              <Project Path="src/Mesh.Core/Mesh.Core.csproj" />
              <Project Path="src/Mesh.Planted/Mesh.Planted.csproj" />
            </Solution>
            """);
        foreach (var violation in PlantedCode.All)
        {
            Plant(violation.Path, violation.Text);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3), TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, TestContext.Current.CancellationToken);
        await BuildAsync(either.Token);
    }

    public ValueTask DisposeAsync()
    {
        _root.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private void Plant(string file, string content)
    {
        var full = Path.Combine(_root.FullName, file);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    private async Task BuildAsync(CancellationToken stop)
    {
        // Without node reuse and a compiler server nothing outlives the test; the audit would ask the network.
        var start = new ProcessStartInfo(
            "dotnet", ["build", "Planted.slnx", "--nologo", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:NuGetAudit=false"])
        {
            WorkingDirectory = _root.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var inherited in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(inherited); // of the build that runs these tests
        }

        using var build = Process.Start(start)!;
        Caretaker.Mind(build);
        try
        {
            var problems = build.StandardError.ReadToEndAsync(stop);
            Output = await build.StandardOutput.ReadToEndAsync(stop) + await problems;
            await build.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            build.Kill(entireProcessTree: true);
            throw;
        }

        ExitCode = build.ExitCode;
        Errors = ErrorLine().Matches(Output).Select(match => $"{match.Groups["file"].Value} {match.Groups["code"].Value}").ToHashSet();
    }

    [GeneratedRegex(@"(?<file>\w+\.cs)\(\d+,\d+\): error (?<code>\w+):")]
    private static partial Regex ErrorLine();
}

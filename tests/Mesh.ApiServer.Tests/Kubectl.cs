using System.Diagnostics;
using System.Text.Json;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Runs the real kubectl against a host; a test that needs it is skipped, with the reason, where it is missing or older than 1.27.</summary>
public sealed class Kubectl(ApiHost host) : IDisposable
{
    private const int OldestMinor = 27;

    private readonly string _cache = TestDirectory.Make("mesh-kubectl-");

    public static async Task SkipUnlessUsableAsync(CancellationToken stop)
    {
        try
        {
            var answer = await StartAsync(["version", "--client", "-o", "json"], "", [], stop);
            using var version = JsonDocument.Parse(answer.Output);
            var minor = version.RootElement.GetProperty("clientVersion").GetProperty("minor").GetString()!.TrimEnd('+');
            Assert.SkipUnless(int.Parse(minor, System.Globalization.CultureInfo.InvariantCulture) >= OldestMinor, $"kubectl 1.{minor} is older than 1.{OldestMinor}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Assert.Skip($"kubectl cannot be started: {missing.Message}");
        }
    }

    /// <summary>Standard output of a run that must succeed.</summary>
    public async Task<string> RunAsync(string arguments, string input = "")
    {
        var answer = await TryAsync(arguments, input);
        Assert.True(answer.Code == 0, $"kubectl {arguments} ended with {answer.Code}: {answer.Output}{answer.Error}");
        return answer.Output;
    }

    public Task<KubectlAnswer> TryAsync(string arguments, string input = "") =>
        StartAsync(Split(arguments), input, ["--kubeconfig", host.Kubeconfig, "--cache-dir", _cache], TestContext.Current.CancellationToken);

    /// <summary>kubectl edit, with a command that changes the file instead of a person.</summary>
    public async Task<string> EditAsync(string arguments, string editor)
    {
        var answer = await StartAsync(
            ["edit", .. Split(arguments)], "", ["--kubeconfig", host.Kubeconfig, "--cache-dir", _cache], TestContext.Current.CancellationToken, editor);
        Assert.True(answer.Code == 0, $"kubectl edit {arguments} ended with {answer.Code}: {answer.Output}{answer.Error}");
        return answer.Output;
    }

    /// <summary>Starts kubectl, and reads its first lines while <paramref name="meanwhile"/> makes them come; then ends it.</summary>
    public async Task<IReadOnlyList<string>> WatchAsync(string arguments, int lines, Func<int, Task> meanwhile)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("kubectl", ["--kubeconfig", host.Kubeconfig, "--cache-dir", _cache, .. Split(arguments)])
            {
                RedirectStandardOutput = true,
            },
        };
        process.Start();
        try
        {
            var told = new List<string>();
            while (told.Count < lines)
            {
                told.Add(await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                    ?? throw new InvalidOperationException($"kubectl {arguments} ended after {told.Count} lines"));
                await meanwhile(told.Count);
            }

            return told;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => Directory.Delete(_cache, recursive: true);

    private static async Task<KubectlAnswer> StartAsync(
        string[] arguments, string input, string[] options, CancellationToken stop, string editor = "false")
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("kubectl", [.. options, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["KUBE_EDITOR"] = editor },
            },
        };
        process.Start();
        await process.StandardInput.WriteAsync(input.AsMemory(), stop);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var error = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new KubectlAnswer(process.ExitCode, await output, await error);
    }

    // Arguments are separated by spaces; single quotes keep one together.
    private static string[] Split(string arguments)
    {
        var parts = arguments.Split('\'');
        return [.. parts.SelectMany((part, index) => index % 2 == 1
            ? [part]
            : part.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
    }
}

public sealed record KubectlAnswer(int Code, string Output, string Error);

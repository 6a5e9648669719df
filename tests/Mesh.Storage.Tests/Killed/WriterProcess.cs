using System.Diagnostics;

namespace Mesh.Storage.Tests.Killed;

/// <summary>A writer in a process of its own, started ahead and waiting for its first line.</summary>
internal sealed class WriterProcess : IDisposable
{
    private readonly Process _process;

    private WriterProcess(Process process) => _process = process;

    public static WriterProcess Start(string directory, params IReadOnlyList<string> under)
    {
        var command = (IReadOnlyList<string>)[.. under, Environment.ProcessPath!, Writer.Argument, directory];
        return new WriterProcess(Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_TieredPGO"] = "0" },
        })!);
    }

    public void Go() => _process.StandardInput.WriteLine();

    public async Task<string> NextLineAsync(CancellationToken stop) =>
        await _process.StandardOutput.ReadLineAsync(stop) ?? throw new InvalidOperationException("The writer ended by itself.");

    /// <summary>SIGKILL; answers with what had been told and was not read yet.</summary>
    public async Task<IReadOnlyList<string>> KillAsync(CancellationToken stop)
    {
        _process.Kill(entireProcessTree: true);
        return await EndAsync(stop);
    }

    public async Task<IReadOnlyList<string>> EndAsync(CancellationToken stop)
    {
        var rest = await _process.StandardOutput.ReadToEndAsync(stop);
        await _process.WaitForExitAsync(stop);
        return rest.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}

using System.Diagnostics;
using System.Text.Json;
using Mesh.Testing.Processes;

namespace Mesh.Agent.Tests;

/// <summary>A registration held open by a real curl process.</summary>
internal sealed class Curl : IDisposable
{
    private readonly Process _process;

    private Curl(Process process) => _process = process;

    public static Curl Put(Uri url, string name, string body, string query = "") => Start("-sN", "-X", "PUT", "-d", body, $"{url}v1/namespaces/default/pods/{name}{query}");

    public static Curl PutBySocket(string socket, string name, string body) =>
        Start("-sN", "--unix-socket", socket, "-X", "PUT", "-d", body, $"http://node/v1/namespaces/default/pods/{name}");

    public async Task<JsonElement> LineAsync(CancellationToken stop)
    {
        var line = await _process.StandardOutput.ReadLineAsync(stop) ?? throw new EndOfStreamException("The stream has ended.");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }

    /// <summary>Null at the end of the stream.</summary>
    public async Task<string?> TextAsync(CancellationToken stop) => await _process.StandardOutput.ReadLineAsync(stop);

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    private static Curl Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("curl") { RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        Caretaker.Mind(process);
        return new Curl(process);
    }
}

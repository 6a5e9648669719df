using System.Diagnostics;
using System.Text;

namespace Mesh.Testing.Processes;

/// <summary>A real process with everything it says.</summary>
public sealed class ProcessUnderTest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProcessUnderTest(Process process)
    {
        _process = process;
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_gate)
            {
                return _output.ToString();
            }
        }
    }

    public string Errors
    {
        get
        {
            lock (_gate)
            {
                return _errors.ToString();
            }
        }
    }

    public static ProcessUnderTest Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MESH_", StringComparison.Ordinal) || name.StartsWith("OTEL_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var running = new ProcessUnderTest(process);
        process.OutputDataReceived += (_, line) => running.Note(running._output, line.Data);
        process.ErrorDataReceived += (_, line) => running.Note(running._errors, line.Data);
        // Not WaitForExitAsync: that waits for the pipes too, which a child of the process may hold.
        process.Exited += (_, _) => running._ended.TrySetResult();
        process.Start();
        Caretaker.Mind(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return running;
    }

    public async Task<int> WaitForExitAsync(CancellationToken stop)
    {
        await _ended.Task.WaitAsync(stop);
        return _process.ExitCode;
    }

    /// <summary>The exit code and everything that was said, for a program that ends by itself.</summary>
    public async Task<(int Code, string Output, string Errors)> RunToEndAsync(CancellationToken stop)
    {
        await _process.WaitForExitAsync(stop);
        return (_process.ExitCode, Output, Errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signals.Kill(_process.Id);
            await _ended.Task;
        }

        _process.Dispose();
    }

    private void Note(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (_gate)
            {
                text.Append(line).Append('\n');
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Testing;

/// <summary>Loops of a test, and what is said of their ends. Without a clock of the test's, one that ended runs again some ms later.</summary>
public sealed class WatchedLoops : ILogger<ProcessLoops>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text, Exception? Failure)> _lines = [];
    private readonly Channel<bool> _more = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public WatchedLoops(TimeProvider? time = null) => Loops = new ProcessLoops(time ?? TimeProvider.System, this);

    public ProcessLoops Loops { get; }

    public IReadOnlyList<(LogLevel Level, string Text, Exception? Failure)> Lines => [.. _lines];

    /// <summary>Loops whose ends nobody looks at.</summary>
    public static ProcessLoops Unwatched() => new WatchedLoops().Loops;

    /// <summary>Waits until the log has told that a loop of this name ended, and gives what ended it.</summary>
    public async Task<Exception?> EndedAsync(string name, CancellationToken stop)
    {
        while (true)
        {
            foreach (var line in _lines)
            {
                if (line.Text.StartsWith($"The loop '{name}' ended unexpectedly", StringComparison.Ordinal))
                {
                    return line.Failure;
                }
            }

            await _more.Reader.ReadAsync(stop);
        }
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue((logLevel, formatter(state, exception), exception));
        _more.Writer.TryWrite(true);
    }
}

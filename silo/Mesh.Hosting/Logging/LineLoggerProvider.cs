using System.Collections.Concurrent;
using Mesh.Core.Clocks;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>
/// Writes log lines from one loop, so that a terminal that is stopped or a full disk holds up no connection: lines that
/// find the queue full are counted and dropped. After each write it rests for some milliseconds, so that an access log
/// of thousands of lines a second wakes it fifty times and not thousands of times. The output stays its owner's.
/// </summary>
[ProviderAlias("Line")]
public sealed class LineLoggerProvider : ILoggerProvider
{
    private const int LongestQueue = 4 * 1024 * 1024;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private readonly LineQueue _lines = new(LongestQueue);
    private readonly ConcurrentDictionary<string, LineLogger> _loggers = new(StringComparer.Ordinal);
    private readonly ILogOutput _output;
    private readonly bool _asJson;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _writing;
    private string? _notWritten;

    public LineLoggerProvider(ILogOutput output, bool asJson, TimeProvider time)
    {
        _output = output;
        _asJson = asJson;
        _time = time;
        _writing = Task.Run(WriteAsync);
    }

    public ILogger CreateLogger(string categoryName) =>
        _loggers.GetOrAdd(categoryName, static (name, provider) => new LineLogger(provider, name), this);

    public void Dispose()
    {
        _closing.Cancel();
        // Not awaited for ever: a stopped terminal must not keep the process from ending.
        if (Task.WaitAny([_writing], TimeSpan.FromSeconds(1)) == 0)
        {
            _closing.Dispose();
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                await _lines.FilledAsync(_closing.Token);
                TryWrite();
                await Task.Delay(Rest, _time, _closing.Token);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            TryWrite(); // what was logged last
        }
    }

    /// <summary>The one loop that tells of its own exceptions: the others tell of theirs through it.</summary>
    private void TryWrite()
    {
        try
        {
            Write();
        }
#pragma warning disable CA1031 // What these lines met is told with the next ones.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _notWritten = $"log lines could not be written: {failure.Message}";
        }
    }

    private void Write()
    {
        if (_notWritten is { } told)
        {
            Tell(told);
            _notWritten = null;
        }

        if (_lines.Take(out var refused) is { IsEmpty: false } lines)
        {
            _output.Write(lines);
        }

        if (refused > 0)
        {
            HostingMetrics.LinesDropped(refused);
            Tell($"{refused} log lines were dropped");
        }
    }

    private void Tell(string text)
    {
        using var line = LogLine.Begin();
        _output.Write(line.Write(_asJson, WallClock.Now(_time), "log", LogLevel.Warning, default, text, null, static (said, _) => said));
    }

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            using var line = LogLine.Begin();
            provider._lines.Add(line.Write(provider._asJson, WallClock.Now(provider._time), category, logLevel, eventId, state, exception, formatter));
        }
    }
}

using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>
/// Writes log lines from one loop, so that a terminal that is stopped or a full disk holds up no connection: lines that
/// find the queue full are counted and dropped. The output stays its owner's.
/// </summary>
[ProviderAlias("Line")]
public sealed class LineLoggerProvider : ILoggerProvider
{
    private const int LongestQueue = 8192;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(LongestQueue) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly ConcurrentDictionary<string, LineLogger> _loggers = new(StringComparer.Ordinal);
    private readonly ILogOutput _output;
    private readonly bool _asJson;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private long _dropped;

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
        _lines.Writer.TryComplete();
        // Not awaited for ever: a stopped terminal must not keep the process from ending.
        Task.WaitAny([_writing], TimeSpan.FromSeconds(1));
    }

    private async Task WriteAsync()
    {
        while (await _lines.Reader.WaitToReadAsync())
        {
            while (_lines.Reader.TryRead(out var line))
            {
                _output.Write(line);
            }

            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
            {
                _output.Write(LogLine.Text(_time.GetUtcNow(), "log", LogLevel.Warning, $"{dropped} log lines were dropped", null));
            }

            _output.Flush();
        }
    }

    private void Enqueue(string line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var now = provider._time.GetUtcNow();
            var message = formatter(state, exception);
            provider.Enqueue(provider._asJson
                ? LogLine.Json(now, category, logLevel, eventId, message, state, exception)
                : LogLine.Text(now, category, logLevel, message, exception));
        }
    }
}

using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>The access log, line by line, as its fields.</summary>
internal sealed class AccessLines : ILoggerFactory
{
    private readonly Channel<IReadOnlyDictionary<string, object?>> _lines = Channel.CreateBounded<IReadOnlyDictionary<string, object?>>(1000);

    public async Task<IReadOnlyDictionary<string, object?>> NextAsync(CancellationToken stop) => await _lines.Reader.ReadAsync(stop);

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName == DataPlaneLog.AccessCategory ? _lines.Writer : null);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // Nothing is held.
    }

    private sealed class Logger(ChannelWriter<IReadOnlyDictionary<string, object?>>? lines) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => lines is not null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (lines is not null && state is IReadOnlyList<KeyValuePair<string, object?>> pairs)
            {
                var fields = pairs.ToDictionary(pair => pair.Key, pair => pair.Value);
                fields["message"] = formatter(state, exception);
                lines.TryWrite(fields);
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;
    }
}

using System.Collections.Concurrent;
using Mesh.DataPlane.L4;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>Every line that is logged, but for the access log's.</summary>
internal sealed class ToldLines : ILoggerFactory, ILogger<ServiceListeners>
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>Those with these words.</summary>
    public IReadOnlyList<string> With(string words) => [.. _lines.Where(line => line.Contains(words, StringComparison.Ordinal))];

    public ILogger CreateLogger(string categoryName) =>
        categoryName == DataPlaneLog.AccessCategory ? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance : this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(formatter(state, exception));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // Nothing is held.
    }
}

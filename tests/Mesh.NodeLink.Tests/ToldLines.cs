using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.Tests;

/// <summary>Keeps what is logged from Warning on, with the type of its exception.</summary>
internal sealed class ToldLines : ILoggerFactory, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception?.GetType().Name}");
        }
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}

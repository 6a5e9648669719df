using System.Collections.Concurrent;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Tests;

/// <summary>What was logged: level and text of each line, of every category.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Written { get; } = new();

    /// <summary>The next line with these words cannot be written.</summary>
    public string? FailsOnceAt { get; set; }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var text = formatter(state, exception);
        if (FailsOnceAt is { } words && text.Contains(words, StringComparison.Ordinal))
        {
            FailsOnceAt = null;
            throw PlantedTime.Planted();
        }

        Written.Enqueue($"{logLevel}: {text}");
    }

    public void Dispose()
    {
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Tests;

/// <summary>The exceptions that were logged as errors.</summary>
internal sealed class ErrorLog : ILogger
{
    public ConcurrentQueue<Exception> Errors { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (exception is not null)
        {
            Errors.Enqueue(exception);
        }
    }
}

using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>A log, line by line.</summary>
internal sealed class Lines<T> : ILogger<T>
{
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(1000);

    public async Task<string> NextAsync(Func<string, bool> fits, CancellationToken stop)
    {
        string line;
        do
        {
            line = await _lines.Reader.ReadAsync(stop);
        }
        while (!fits(line));
        return line;
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Writer.TryWrite(formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}

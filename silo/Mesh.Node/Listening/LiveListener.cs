using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Mesh.Node.Listening;

/// <summary>
/// One listener that follows its option: opened when the option is first known, moved when it changes, tried again while
/// its port is taken. Not for two callers at once.
/// </summary>
/// <param name="name">As log and <c>/readyz</c> call it.</param>
internal sealed class LiveListener(string name, Func<string, CancellationToken, Task<IAsyncDisposable>> open, ILogger log) : IAsyncDisposable
{
    private IAsyncDisposable? _open;
    private string? _wanted;
    private string? _failure;

    /// <summary>Null while it listens.</summary>
    public string? WhyNotListening => Volatile.Read(ref _open) is not null ? null : $"{name} does not listen{(_failure is null ? " yet" : $" on {_wanted}: {_failure}")}";

    /// <summary>Each of them, whatever another meets; the first exception that is no refusal of the system is thrown after the last.</summary>
    public static async Task EachAsync(params Func<Task>[] steps)
    {
        Exception? first = null;
        foreach (var step in steps)
        {
            try
            {
                await step();
            }
#pragma warning disable CA1031 // It is thrown below.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                first ??= failure;
            }
        }

        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }

    public async Task ApplyAsync(string setting, CancellationToken stop)
    {
        if (setting != _wanted)
        {
            await CloseAsync();
            _wanted = setting;
            _failure = null;
        }

        await RetryAsync(stop);
    }

    public async Task RetryAsync(CancellationToken stop)
    {
        if (_open is not null || _wanted is null)
        {
            return;
        }

        try
        {
            Volatile.Write(ref _open, await open(_wanted, stop));
            log.ListenerOpened(name, _wanted);
        }
        catch (Exception failure) when (failure is SocketException or IOException or NetworkInformationException)
        {
            if (_failure is null)
            {
                log.ListenerFailed(name, _wanted, failure.Message);
            }

            _failure = failure.Message;
        }
    }

    /// <summary>Closes for good, until another setting is applied.</summary>
    public async Task CloseAsync()
    {
        _wanted = null;
        if (Interlocked.Exchange(ref _open, null) is { } closing)
        {
            await closing.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();
}

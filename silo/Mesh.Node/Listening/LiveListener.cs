using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Mesh.Loops;

namespace Mesh.Node.Listening;

/// <summary>
/// One listener that follows its option: opened when the option is first known, moved when it changes, tried again while
/// its port is taken. What is under way on one that has moved goes on to its end. Not for two callers at once.
/// </summary>
/// <param name="name">As log and <c>/readyz</c> call it.</param>
internal sealed class LiveListener(string name, Func<string, CancellationToken, Task<OpenListener>> open, ProcessLoops loops, ILogger log) : IAsyncDisposable
{
    /// <summary>An option that changes for ever leaves no more behind: the oldest is cut.</summary>
    private const int MostDraining = 4;

    private readonly List<(CancellationTokenSource Cut, Task Drained)> _draining = [];
    private OpenListener? _open;
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
            await MoveAwayAsync();
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

    /// <summary>Accepts nothing more, until another setting is applied, and lets what is under way end, until the token is cancelled.</summary>
    public async Task DrainAsync(CancellationToken hurry)
    {
        await MoveAwayAsync();
        var drained = Task.WhenAll(_draining.Select(static one => one.Drained));
        await drained.WaitAsync(hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (hurry.IsCancellationRequested)
        {
            foreach (var (cut, _) in _draining)
            {
                await cut.CancelAsync();
            }
        }

        await drained;
        _draining.ForEach(static one => one.Cut.Dispose());
        _draining.Clear();
    }

    public async ValueTask DisposeAsync() => await DrainAsync(new CancellationToken(canceled: true));

    private async Task MoveAwayAsync()
    {
        _wanted = null;
        if (Interlocked.Exchange(ref _open, null) is not { } closing)
        {
            return;
        }

        foreach (var ended in _draining.Where(static one => one.Drained.IsCompleted).ToList())
        {
            ended.Cut.Dispose();
            _draining.Remove(ended);
        }

        if (_draining.Count >= MostDraining)
        {
            await _draining[^MostDraining].Cut.CancelAsync();
        }

        var cut = new CancellationTokenSource();
        try
        {
            await closing.CloseAsync();
        }
        finally
        {
            _draining.Add((cut, loops.RunToEndAsync("drain of a listener", _ => DrainAsync(closing, cut.Token), cut.Token)));
        }
    }

    private static async Task DrainAsync(OpenListener listener, CancellationToken cut)
    {
        var isDrained = false;
        try
        {
            await listener.DrainAsync(cut);
            isDrained = true;
        }
        finally
        {
            if (isDrained || cut.IsCancellationRequested)
            {
                await listener.DisposeAsync();
            }
        }
    }
}

using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// Keeps the run mark at most a second behind the commits, beside the committing loop: a rename may wait for the file system's
/// journal. A mark that lags further only makes a copy of that time, put back by hand, look like the original.
/// </summary>
internal sealed class RunMarkLoop(RunMark opened, string path, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _closed = new();
    private readonly ToldSeldom _failures = new(time);
    private Task _running = Task.CompletedTask;
    private long _version = opened.Version;
    private RunMark _written = opened;

    public void Start(ProcessLoops loops) => _running = Task.Run(() => loops.RunAsync("run mark", RunAsync, _closed.Token));

    /// <summary>Once no more is committed: the last mark is exact.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _running;
        Write();
        _closed.Dispose();
    }

    /// <summary>Called by the committing loop, after the sync.</summary>
    public void Committed(long version) => Volatile.Write(ref _version, version);

    private async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(WriteEvery, time, stop);
            Write();
        }
    }

    private void Write()
    {
        var next = _written with { Version = Volatile.Read(ref _version) };
        if (next == _written)
        {
            return;
        }

        try
        {
            next.Write(path);
            _written = next;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            if (_failures.Count() > 0)
            {
                log.NotMarked(path, failed.Message, failed);
            }
        }
    }
}

using System.Diagnostics;
using System.Text.Json;

namespace Mesh.Demo;

/// <summary>A watch of the API on a collection that is open, and tells when one of its objects is deleted.</summary>
internal sealed class DeletionWatch : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _end;
    private readonly Task<long?> _told;

    private DeletionWatch(KubernetesApi api, string path, string name, CancellationToken stop)
    {
        _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _told = FollowAsync(api, path, name);
    }

    /// <summary>Why it told nothing.</summary>
    public string Failure { get; private set; } = $"not within {Patience.TotalSeconds:F0} s";

    /// <summary>Completes when the first event is there: what happens from then on is told.</summary>
    public static async Task<DeletionWatch> OpenAsync(KubernetesApi api, string path, string name, CancellationToken stop)
    {
        var watch = new DeletionWatch(api, path, name, stop);
        await Task.WhenAny(watch._open.Task, watch._told, Task.Delay(Patience, TimeProvider.System, stop));
        return watch;
    }

    /// <summary>When the deletion was told; null when it was not.</summary>
    public async Task<long?> ToldAsync()
    {
        _end.CancelAfter(Patience);
        return await _told;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _told;
        _end.Dispose();
    }

    private async Task<long?> FollowAsync(KubernetesApi api, string path, string name)
    {
        try
        {
            await foreach (var (type, changed) in api.WatchAsync(path, _end.Token))
            {
                _open.TrySetResult();
                if (type == "ERROR")
                {
                    Failure = changed.ToString();
                    return null;
                }

                if (type == "DELETED" && changed.GetProperty("metadata").GetProperty("name").GetString() == name)
                {
                    return Stopwatch.GetTimestamp();
                }
            }

            Failure = "the watch ended";
        }
        catch (OperationCanceledException)
        {
            // Not told in time, or nobody asks any more.
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            Failure = broken.Message;
        }

        return null;
    }
}

using System.Net;
using System.Text.Json;
using Mesh.Client;
using Microsoft.Extensions.Primitives;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// Follows one name at the node, for everybody in this process who calls it. The last word stays when the node is away: an
/// application goes on calling whom it called.
/// </summary>
internal sealed class ServiceWatch : IAsyncDisposable
{
    /// <summary>A request that is the first of its name waits so long for the node's first word, and none after it does.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(2);

    /// <summary>Changes that come closer are signalled as one.</summary>
    public static readonly TimeSpan Coalesced = TimeSpan.FromMilliseconds(50);

    /// <summary>A name that no Service has is asked for again after this, as DNS answers of the cluster are.</summary>
    public static readonly TimeSpan MissingFor = TimeSpan.FromSeconds(5);

    private readonly WatchSource _source;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ChangeSignal _signal;
    private readonly string _service;
    private readonly long _started;
    private Task _following = Task.CompletedTask;
    private ServiceWord _word = new ServiceWord.None("it has not answered yet");
    private int _failures;

    private ServiceWatch(WatchSource source, MeshServiceName name)
    {
        (_source, Name, _service) = (source, name, name.ToString());
        _signal = new ChangeSignal(source.Time, Coalesced, failed => source.Log.FollowerFailed(failed, _service));
        _started = source.Time.GetTimestamp();
    }

    public MeshServiceName Name { get; }

    public ServiceWord Word => Volatile.Read(ref _word);

    /// <summary>Fires when there is another word. Read it before <see cref="Word"/>: then no change falls between.</summary>
    public IChangeToken Token => _signal.Token;

    public static ServiceWatch Begin(WatchSource source, MeshServiceName name)
    {
        // The request that is the first of its name must not lend it its trace, its user or whatever else flows with it.
        var isFlowing = !ExecutionContext.IsFlowSuppressed();
        if (isFlowing)
        {
            ExecutionContext.SuppressFlow();
        }

        try
        {
            var watch = new ServiceWatch(source, name);
            watch._following = Task.Run(() => watch.FollowAsync(watch._stop.Token), CancellationToken.None);
            return watch;
        }
        finally
        {
            if (isFlowing)
            {
                ExecutionContext.RestoreFlow();
            }
        }
    }

    /// <summary>Waits for the first word, within <see cref="FirstWait"/> of the watch's beginning.</summary>
    public async ValueTask FirstAsync(CancellationToken stop)
    {
        var left = FirstWait - _source.Time.GetElapsedTime(_started);
        if (_first.Task.IsCompleted || left <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await _first.Task.WaitAsync(left, _source.Time, stop);
        }
        catch (TimeoutException)
        {
            // The caller reads what there is.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _signal.Dispose();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var pause = await AskAsync(stop) switch
                {
                    Ending.Missing => MissingFor,
                    Ending.Ended => TimeSpan.Zero,
                    _ => _source.Backoff(_failures),
                };
                await Task.Delay(pause, _source.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody calls the Service any more.
        }
    }

    private async Task<Ending> AskAsync(CancellationToken stop)
    {
        var isNode = false;
        // The limit is for the first line; the stream itself stays open, silent while nothing changes.
        using var limit = new CancellationTokenSource(WatchSource.AnswerTimeout, _source.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            var path = new Uri($"/v1/namespaces/{Name.Namespace}/services/{Name.Name}?watch=true", UriKind.Relative);
            using var response = await _source.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                return Refused(response.StatusCode, await NodeClient.ReasonAsync(response, either.Token));
            }

            await foreach (var text in LineReader.ReadAsync(await response.Content.ReadAsStreamAsync(either.Token), either.Token, WatchSource.MaxLine))
            {
                limit.CancelAfter(Timeout.InfiniteTimeSpan);
                isNode = true;
                if (Take(JsonSerializer.Deserialize(text.Span, WireJson.Default.WireLine)) is { } ending)
                {
                    return ending;
                }
            }

            // A node that stops ends its streams; the next one is there within a second.
            return Failed("the stream ended");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return Failed($"no answer within {WatchSource.AnswerTimeout.TotalSeconds} s");
        }
#pragma warning disable CA1031 // The boundary to whatever listens at the node's address: a watch that fails, however, is one that is tried again; also one that fails as it is given up.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return Failed(FailureText.Of(error, isNode));
        }
    }

    /// <summary>Null: the stream goes on.</summary>
    private Ending? Take(WireLine? line)
    {
        switch (line)
        {
            case { Type: "ADDED" or "MODIFIED", Object: { } told } when KnownService.From(told) is { } known:
                Say(new ServiceWord.Known(known));
                return null;
            case { Type: "DELETED" }:
                Say(new ServiceWord.Missing($"Service {Name} was deleted."));
                return Ending.Ended;
            case { Type: "ERROR", Object.Message: { } message }:
                return Failed(message.TrimEnd('.'));
            default:
                return Failed($"a line that is none of a watch; {FailureText.NoNode}");
        }
    }

    private Ending Refused(HttpStatusCode status, string reason)
    {
        if (status != HttpStatusCode.NotFound)
        {
            return Failed(reason.TrimEnd('.'));
        }

        if (Word == new ServiceWord.Missing(reason))
        {
            Answered();
        }
        else
        {
            Say(new ServiceWord.Missing(reason));
        }

        return Ending.Missing;
    }

    private void Answered()
    {
        if (_failures >= WatchSource.FailuresTold)
        {
            _source.Log.Back(_service);
        }

        _failures = 0;
    }

    private void Say(ServiceWord word)
    {
        Answered();
        if (word is ServiceWord.Missing missing)
        {
            _source.Log.Missing(missing.Why);
        }

        Volatile.Write(ref _word, word);
        _first.TrySetResult();
        _signal.Fire();
    }

    private Ending Failed(string why)
    {
        if (Word is ServiceWord.None)
        {
            Volatile.Write(ref _word, new ServiceWord.None(why));
        }

        if (++_failures == WatchSource.FailuresTold)
        {
            var meanwhile = Word is ServiceWord.None ? "it cannot be called by name" : "its last word is used";
            _source.Log.Away(_source.Node, _service, why, meanwhile);
        }

        return Ending.Failed;
    }

    private enum Ending
    {
        Missing,
        Ended,
        Failed,
    }
}

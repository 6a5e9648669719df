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

    /// <summary>How often a node that takes no more watches is asked instead; each time a little sooner or later.</summary>
    public static readonly TimeSpan AskedEvery = TimeSpan.FromSeconds(5);

    /// <summary>After this a watch is asked for again.</summary>
    public static readonly TimeSpan WatchedAgainAfter = TimeSpan.FromMinutes(1);

    private const string Added = "ADDED";

    private readonly WatchSource _source;
    private readonly CancellationTokenSource _stop = new();
    private readonly LastWord _last;
    private readonly Uri _path;
    private Task _following = Task.CompletedTask;

    private ServiceWatch(WatchSource source, MeshServiceName name)
    {
        (_source, Name) = (source, name);
        _last = new LastWord(source, name.ToString());
        _path = new Uri($"/v1/namespaces/{name.Namespace}/services/{name.Name}", UriKind.Relative);
    }

    public MeshServiceName Name { get; }

    public ServiceWord Word => _last.Word;

    /// <summary>Fires when there is another word. Read it before <see cref="Word"/>: then no change falls between.</summary>
    public IChangeToken Token => _last.Token;

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
            watch._following = Task.Run(() => ClientLoop.RunAsync("Service at the node", watch.FollowAsync, source.Time, source.Log, watch._stop.Token), CancellationToken.None);
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
    public ValueTask FirstAsync(CancellationToken stop) => _last.FirstAsync(stop);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        _last.Dispose();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var pause = await AskAsync(isWatch: true, stop) switch
                {
                    Ending.Missing => MissingFor,
                    Ending.Ended => TimeSpan.Zero,
                    Ending.NoRoom => await AskAgainAndAgainAsync(stop),
                    _ => _source.Backoff(_last.Failures),
                };
                await Task.Delay(pause, _source.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody calls the Service any more.
        }
    }

    /// <summary>For as long as the node takes no more watches: a word that is seconds old, and none that is old for ever. How long to wait then.</summary>
    private async Task<TimeSpan> AskAgainAndAgainAsync(CancellationToken stop)
    {
        var (began, longest) = (_source.Time.GetTimestamp(), _source.About(WatchedAgainAfter));
        while (true)
        {
            await _source.Asking.WaitAsync(stop);
            try
            {
                switch (await AskAsync(isWatch: false, stop))
                {
                    case Ending.Missing:
                        return MissingFor;
                    case Ending.Failed:
                        return _source.Backoff(_last.Failures);
                    default:
                        break;
                }
            }
            finally
            {
                _source.Asking.Release();
            }

            if (_source.Time.GetElapsedTime(began) >= longest)
            {
                return TimeSpan.Zero;
            }

            await Task.Delay(_source.About(AskedEvery), _source.Time, stop);
        }
    }

    /// <param name="isWatch">Else one answer is all.</param>
    private async Task<Ending> AskAsync(bool isWatch, CancellationToken stop)
    {
        var isNode = false;
        // The limit is for the first line; the stream itself stays open, silent while nothing changes.
        using var limit = new CancellationTokenSource(WatchSource.AnswerTimeout, _source.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            var path = isWatch ? new Uri($"{_path}?watch=true", UriKind.Relative) : _path;
            using var response = await _source.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                return Refused(response.StatusCode, await NodeClient.ReasonAsync(response, either.Token), isWatch);
            }

            await foreach (var text in LineReader.ReadAsync(await response.Content.ReadAsStreamAsync(either.Token), either.Token, WatchSource.MaxLine))
            {
                if (!isWatch)
                {
                    return Take(new WireLine(Added, JsonSerializer.Deserialize(text.Span, WireJson.Default.WireService))) ?? Ending.Told;
                }

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
            case { Type: Added or "MODIFIED", Object: { } told } when KnownService.From(told) is { } known:
                _last.Say(new ServiceWord.Known(known));
                return null;
            case { Type: "DELETED" }:
                _last.Say(new ServiceWord.Missing($"Service {Name} was deleted."));
                return Ending.Ended;
            case { Type: "ERROR", Object.Message: { } message }:
                return Failed(message.TrimEnd('.'));
            default:
                return Failed($"a line that is none of a watch; {FailureText.NoNode}");
        }
    }

    private Ending Refused(HttpStatusCode status, string reason, bool isWatch)
    {
        switch (status)
        {
            case HttpStatusCode.NotFound:
                _last.Say(new ServiceWord.Missing(reason));
                return Ending.Missing;
            case HttpStatusCode.TooManyRequests when isWatch:
                _source.NoRoom(reason.TrimEnd('.'));
                return Ending.NoRoom;
            default:
                return Failed(reason.TrimEnd('.'));
        }
    }

    private Ending Failed(string why)
    {
        _last.Failed(why);
        return Ending.Failed;
    }

    private enum Ending
    {
        /// <summary>The Service is as the node just said.</summary>
        Told,
        Missing,
        Ended,

        /// <summary>The node takes no more watches.</summary>
        NoRoom,
        Failed,
    }
}

using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Selectors;
using Mesh.Core.Names;
using Mesh.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mesh.ApiServer.Requests;

/// <summary>Watch, for every kind: first what is there (when asked for), then every change, in order.</summary>
internal sealed class WatchVerb(
    Reads reads, IOptions<ApiOptions> options, TimeProvider time, Chance chance, IHostApplicationLifetime lifetime)
{
    public static readonly TimeSpan BookmarkEvery = TimeSpan.FromSeconds(60);

    private int _open;

    public async Task<ApiStatus?> WatchAsync(HttpContext context, ResourceRequest request, ListOptions list, CancellationToken stop)
    {
        if (Representation.For(context.Request).IsRefused(out var notAcceptable, out var form))
        {
            return notAcceptable;
        }

        if (ReadVerbs.FilterOf(request, list).IsRefused(out var badSelector, out var filter))
        {
            return badSelector;
        }

        if (await reads.WaitAsync(list.Freshness, stop) is { } tooNew)
        {
            return tooNew;
        }

        if (Interlocked.Increment(ref _open) > options.Value.MaxWatches)
        {
            Interlocked.Decrement(ref _open);
            return ApiStatus.TooManyRequests($"{options.Value.MaxWatches} watches are open, which is the limit; try again later");
        }

        ApiServerMetrics.WatchStarted(request.Resource);
        try
        {
            return await FollowAsync(context, request, list, form, filter, stop);
        }
        finally
        {
            ApiServerMetrics.WatchEnded(request.Resource);
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<ApiStatus?> FollowAsync(
        HttpContext context, ResourceRequest request, ListOptions list, Representation form, ObjectFilter filter, CancellationToken stop)
    {
        var resource = request.Resource;
        var wantsState = list.SendInitialEvents || list.WatchFrom is null;
        var state = wantsState
            ? reads.Cache.List(resource.Group, resource.Kind, request.Namespace.Length == 0 ? null : request.Namespace)
            : null;
        var from = state?.Version ?? list.WatchFrom!.Value;
        IWatch changes;
        try
        {
            changes = reads.Cache.Watch(Concerns(resource.Group, resource.Kind, filter), from);
        }
        catch (WatchExpiredException expired)
        {
            return ApiStatus.Expired($"too old resource version: {from} ({reads.Cache.Version}): {expired.Message}");
        }

        using (changes)
        {
            context.Response.ContentType = Responses.Json;
            context.Response.Headers.CacheControl = "no-cache, private";
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            var presenter = new Presenter(resource, form, time);
            await using var events = new WatchEvents(context.Response.BodyWriter, presenter, filter);
            try
            {
                await events.StartAsync(state, list.SendInitialEvents, from, stop);
                await RunAsync(events, changes, list, stop);
            }
            catch (WatchAbandonedException)
            {
                // Over for both.
            }

            return null;
        }
    }

    private async Task RunAsync(WatchEvents events, IWatch changes, ListOptions list, CancellationToken stop)
    {
        // Without a timeout of its own a watch ends after 30 to 60 minutes, so that watches spread over restarted silos.
        var lasts = list.Timeout ?? TimeSpan.FromSeconds(chance.Between(1800, 3600));
        using var limit = new CancellationTokenSource(lasts, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token, lifetime.ApplicationStopping);
        var next = changes.NextAsync(end.Token).AsTask();
        var tick = NextTick(end.Token);
        try
        {
            while (true)
            {
                if (await Task.WhenAny(next, tick) == next)
                {
                    await events.WriteAsync(await next, stop);
                    next = changes.NextAsync(end.Token).AsTask();
                }
                else
                {
                    await tick;
                    tick = NextTick(end.Token);
                    await WriteBookmarkAsync(events, changes, list, stop);
                }
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            await WriteBookmarkAsync(events, changes, list, stop);
        }
        catch (WatchExpiredException expired)
        {
            await events.WriteErrorAsync(ApiStatus.Expired($"too old resource version: {expired.Message}"), stop);
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(next, tick).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task NextTick(CancellationToken stop) => Task.Delay(BookmarkEvery, time, stop);

    private static async Task WriteBookmarkAsync(WatchEvents events, IWatch changes, ListOptions list, CancellationToken stop)
    {
        if (list.Bookmarks)
        {
            await events.WriteBookmarkAsync(changes.Version, endsInitialEvents: false, stop);
        }
    }

    private static Func<ObjectKey, bool> Concerns(string group, string kind, ObjectFilter filter) =>
        key => key.Kind == kind && key.Group == group && filter.MayMatch(key.Namespace, key.Name);
}

using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Storage;

namespace Mesh.ApiServer.Requests;

/// <summary>Reads from the watch cache, as new as the client asks for.</summary>
internal sealed class Reads(IWatchCache cache, TimeProvider time)
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(3);

    public IWatchCache Cache => cache;

    public async Task<Outcome<StoredObject>> GetAsync(ResourceRequest request, CancellationToken stop)
    {
        await cache.WaitForFreshAsync(stop);
        return cache.Get(request.Key) is { } stored ? stored : ApiStatus.NotFound(request.Resource, request.Name);
    }

    public async Task<Outcome<CacheList>> ListAsync(Resource resource, string ns, Freshness freshness, CancellationToken stop)
    {
        if (await WaitAsync(freshness, stop) is { } tooNew)
        {
            return tooNew;
        }

        var list = cache.List(resource.Group, resource.Kind, ns.Length == 0 ? null : ns);
        return freshness is Freshness.Exactly exact && exact.Version != list.Version
            ? ApiStatus.Expired($"The resourceVersion for the provided list is too old: {exact.Version} (current: {list.Version})")
            : list;
    }

    /// <summary>Waits until the cache is as new as asked; a version that the store has not reached is refused.</summary>
    public async Task<ApiStatus?> WaitAsync(Freshness freshness, CancellationToken stop)
    {
        var version = freshness switch
        {
            Freshness.NotOlderThan least => least.Version,
            Freshness.Exactly exact => exact.Version,
            _ => 0,
        };
        if (freshness is Freshness.Newest)
        {
            await cache.WaitForFreshAsync(stop);
            return null;
        }

        if (version <= cache.Version)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(MaxWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await cache.WaitForAsync(version, either.Token);
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return ApiStatus.ResourceVersionTooLarge(version, cache.Version);
        }
    }
}

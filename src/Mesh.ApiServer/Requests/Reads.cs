using System.Globalization;
using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Core.Clocks;
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
        return Find(request) is { } stored ? stored : ApiStatus.NotFound(request.Resource, request.Name);
    }

    public async Task<Outcome<CacheList>> ListAsync(Resource resource, string ns, Freshness freshness, CancellationToken stop)
    {
        if (await WaitAsync(freshness, stop) is { } tooNew)
        {
            return tooNew;
        }

        var list = All(resource, ns);
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

    private StoredObject? Find(ResourceRequest request)
    {
        if (request.Resource.Derived is not { } derived || request.Namespace != derived.Namespace)
        {
            return cache.Get(request.Key);
        }

        return cache.Get(derived.From.Key("", request.Name)) is { } source ? Derive(request.Resource, derived, source) : null;
    }

    private CacheList All(Resource resource, string ns)
    {
        // First, so that a watch from this version misses nothing of the two.
        var stored = cache.List(resource.Group, resource.Kind, ns.Length == 0 ? null : ns);
        if (resource.Derived is not { } derived || (ns.Length > 0 && ns != derived.Namespace))
        {
            return stored;
        }

        var made = cache.List(derived.From.Group, derived.From.Kind, null).Items.Select(source => Derive(resource, derived, source));
        return stored with
        {
            Items =
            [
                .. stored.Items.Concat(made)
                    .OrderBy(item => item.Key.Namespace, StringComparer.Ordinal)
                    .ThenBy(item => item.Key.Name, StringComparer.Ordinal),
            ],
        };
    }

    private StoredObject Derive(Resource resource, Derivation derived, StoredObject source)
    {
        using var document = JsonDocument.Parse(source.Document);
        var made = derived.Make(document.RootElement, WallClock.Now(time));
        made["apiVersion"] = resource.ApiVersion;
        made["kind"] = resource.Kind;
        var metadata = made.Child("metadata");
        metadata["name"] = source.Key.Name;
        if (derived.Namespace.Length > 0)
        {
            metadata["namespace"] = derived.Namespace;
        }

        metadata["uid"] = source.Uid;
        metadata["resourceVersion"] = source.ResourceVersion.ToString(CultureInfo.InvariantCulture);
        metadata["creationTimestamp"] = document.RootElement.At("metadata", "creationTimestamp").Text();
        return source with { Key = resource.Key(derived.Namespace, source.Key.Name), Document = made.ToUtf8() };
    }
}

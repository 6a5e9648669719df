using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer.Own;

/// <summary>Gives each Namespace the ServiceAccount <c>default</c>, and gives it back when somebody deleted it, as Kubernetes does.</summary>
internal sealed class DefaultServiceAccounts(
    ResourceCatalog catalog, OwnObjects own, IWatchCache cache, ProcessLoops loops, TimeProvider time, ILogger<DefaultServiceAccounts> log) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Resource _accounts = catalog.Find("", "v1", "serviceaccounts")!;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunAsync("default service accounts", RepeatAsync, stoppingToken);

    /// <summary>Each round looks at every Namespace again.</summary>
    private async Task RepeatAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await FollowAsync(stop);
            }
            catch (Exception failure) when (failure is StoreUnavailableException or WatchExpiredException)
            {
                log.NotCreated(_accounts.Kind, failure.Message);
                await Task.Delay(RetryAfter, time, stop);
            }
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        using var changes = cache.Watch(static key => key.Group.Length == 0 && key.Kind is "Namespace" or "ServiceAccount", cache.Version);
        foreach (var ns in cache.List("", "Namespace", null).Items)
        {
            await EnsureAsync(ns.Key.Name, stop);
        }

        while (true)
        {
            foreach (var change in await changes.NextAsync(stop))
            {
                var key = change.Object.Key;
                await EnsureAsync(key.Kind == "Namespace" ? key.Name : key.Namespace, stop);
            }
        }
    }

    private async Task EnsureAsync(string ns, CancellationToken stop)
    {
        if (cache.Get(Kinds.Namespace(ns)) is not { IsDeleting: false }
            || cache.Get(_accounts.Key(ns, ServiceAccountResource.DefaultName)) is not null)
        {
            return;
        }

        var account = new JsonObject { ["metadata"] = new JsonObject { ["name"] = ServiceAccountResource.DefaultName } };
        var reply = await own.CreateAsync(_accounts, ns, account, stop);
        if (reply.Result is ObjectResult.Unavailable or ObjectResult.Unknown)
        {
            throw new StoreUnavailableException(reply.Message);
        }
    }
}

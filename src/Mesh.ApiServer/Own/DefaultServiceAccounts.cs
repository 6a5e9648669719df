using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer.Own;

/// <summary>Gives each Namespace the ServiceAccount <c>default</c>, and gives it back when somebody deleted it, as Kubernetes does.</summary>
internal sealed class DefaultServiceAccounts(
    ResourceCatalog catalog, OwnObjects own, IWatchCache cache, TimeProvider time, ILogger<DefaultServiceAccounts> log) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Resource _accounts = catalog.Find("", "v1", "serviceaccounts")!;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of the loop: whatever the store threw, the next round looks at every Namespace again.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                log.NotCreated(_accounts.Kind, failure.Message);
                await Task.Delay(RetryAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

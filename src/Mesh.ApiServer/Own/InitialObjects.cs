using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer.Own;

/// <summary>Creates the Namespaces that every cluster has and Mesh's IngressClass, before anything is served.</summary>
internal sealed class InitialObjects(ResourceCatalog catalog, OwnObjects own, TimeProvider time, ILogger<InitialObjects> log) : IHostedService
{
    private static readonly string[] Namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var name in Namespaces)
        {
            await CreateAsync(catalog.Namespaces, () => new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }, cancellationToken);
        }

        await CreateAsync(catalog.IngressClasses, IngressClassResource.Own, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task CreateAsync(Resource resource, Func<JsonObject> document, CancellationToken stop)
    {
        while (await own.CreateAsync(resource, "", document(), stop) is { Result: not (ObjectResult.Committed or ObjectResult.AlreadyExists) } reply)
        {
            log.NotCreated(resource.Kind, string.Create(CultureInfo.InvariantCulture, $"{reply.Result}: {reply.Message}"));
            await Task.Delay(RetryEvery, time, stop);
        }
    }
}

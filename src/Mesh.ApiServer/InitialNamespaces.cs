using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Writing;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer;

/// <summary>Creates the Namespaces that every cluster has, before anything is served.</summary>
internal sealed class InitialNamespaces(
    ResourceCatalog catalog, Admission admission, StoreWriter writer, TimeProvider time, ILogger<InitialNamespaces> log) : IHostedService
{
    private static readonly string[] Names = ["default", "kube-system", "kube-public", "kube-node-lease"];

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var name in Names)
        {
            while (await CreateAsync(name, cancellationToken) is { Result: not (ObjectResult.Committed or ObjectResult.AlreadyExists) } reply)
            {
                log.NamespaceNotCreated(name, string.Create(CultureInfo.InvariantCulture, $"{reply.Result}: {reply.Message}"));
                await Task.Delay(RetryEvery, time, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<ObjectReply> CreateAsync(string name, CancellationToken stop)
    {
        var request = new ResourceRequest(catalog.Namespaces, "", "", "");
        var document = new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } };
        if (admission.Create(request, document).IsRefused(out var refusal, out var admitted))
        {
            throw new InvalidOperationException(refusal.Message);
        }

        var create = new ObjectRequest(ObjectVerb.Create, admitted.ToUtf8(), 0, "", DryRun: false);
        return await writer.WriteAsync(catalog.Namespaces, catalog.Namespaces.Key("", name), create, stop);
    }
}

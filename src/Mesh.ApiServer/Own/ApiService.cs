using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Loops;
using Mesh.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer.Own;

/// <summary>
/// Keeps the Service <c>default/kubernetes</c>, by which programs find the API, with the API's own address as its one
/// endpoint. No selector stands behind it, and nothing of it is routed: endpoints never lie on Mesh's own ports.
/// </summary>
internal sealed class ApiService(
    ResourceCatalog catalog, OwnObjects own, IServer server, IHostApplicationLifetime lifetime, ProcessLoops loops, TimeProvider time, ILogger<ApiService> log)
    : BackgroundService
{
    public const string Namespace = "default";

    public const string Name = "kubernetes";

    private const int ServicePort = 443;

    // As Kubernetes' own reconciler: somebody may delete or change it.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        loops.RunToEndAsync("service of the API", KeepAsync, stoppingToken);

    private async Task KeepAsync(CancellationToken stop)
    {
        await StartedAsync(stop);
        if (Address() is not { } address)
        {
            return; // a host that listens on no address that a Service could name
        }

        using var tick = new PeriodicTimer(LookEvery, time);
        do
        {
            await LookAsync(address, stop);
        }
        while (await tick.WaitForNextTickAsync(stop));
    }

    /// <summary>Ports are known, and grains answer, when everything has started.</summary>
    private async Task StartedAsync(CancellationToken stop)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var all = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stop);
    }

    private IPEndPoint? Address()
    {
        foreach (var text in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && IPAddress.TryParse(url.DnsSafeHost, out var address))
            {
                // On a wildcard the loopback address is the one that every program on this machine reaches.
                var isWildcard = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
                return new IPEndPoint(isWildcard ? IPAddress.Loopback : address, url.Port);
            }
        }

        return null;
    }

    private async Task LookAsync(IPEndPoint address, CancellationToken stop)
    {
        try
        {
            foreach (var (resource, wanted) in Objects(address))
            {
                if (await own.EnsureAsync(resource, Namespace, wanted, stop) is { Result: not ObjectResult.Committed } reply)
                {
                    log.NotCreated(resource.Kind, string.Create(CultureInfo.InvariantCulture, $"{reply.Result}: {reply.Message}"));
                }
            }
        }
        catch (StoreUnavailableException silent)
        {
            log.NotCreated("Service", silent.Message); // the next round looks again
        }
    }

    private IEnumerable<(Resource Resource, JsonObject Wanted)> Objects(IPEndPoint address)
    {
        yield return (catalog.Find("", "v1", "services")!, new JsonObject
        {
            ["metadata"] = Metadata(new JsonObject { ["component"] = "apiserver", ["provider"] = Name }),
            ["spec"] = new JsonObject
            {
                ["ports"] = new JsonArray(new JsonObject
                {
                    ["name"] = "https",
                    ["port"] = ServicePort,
                    ["protocol"] = "TCP",
                    ["targetPort"] = address.Port,
                }),
            },
        });
        yield return (catalog.Find("", "v1", "endpoints")!, new JsonObject
        {
            // Its slice is written here too, and nobody is to mirror it.
            ["metadata"] = Metadata(new JsonObject { ["endpointslice.kubernetes.io/skip-mirror"] = "true" }),
            ["subsets"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address.Address.ToString() }),
                ["ports"] = Ports(address),
            }),
        });
        yield return (catalog.Find(Kinds.DiscoveryGroup, "v1", "endpointslices")!, new JsonObject
        {
            ["metadata"] = Metadata(new JsonObject { ["kubernetes.io/service-name"] = Name }),
            ["addressType"] = address.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4",
            ["endpoints"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(address.Address.ToString()),
                ["conditions"] = new JsonObject { ["ready"] = true },
            }),
            ["ports"] = Ports(address),
        });
    }

    private static JsonObject Metadata(JsonObject labels) => new() { ["name"] = Name, ["labels"] = labels };

    private static JsonArray Ports(IPEndPoint address) =>
        new(new JsonObject { ["name"] = "https", ["port"] = address.Port, ["protocol"] = "TCP" });
}

using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Services;

/// <summary>Endpoints where Mesh itself listens: published nowhere, and told of once.</summary>
[Collection(ClusterGroup.Name)]
public sealed class OwnListenerTests(SharedCluster shared)
{
    private readonly MeshTestCluster _cluster = shared.Cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task An_endpoint_on_a_listener_of_Mesh_or_in_the_Service_CIDR_stands_in_no_slice_and_is_an_Event()
    {
        var scene = await EndpointScene.OpenAsync(_cluster);
        await scene.ApplyAsync(
            Some.Row("fine", 1000, 1),
            At("gateway", 1001, MeshTestCluster.OwnListener.Address), // the Service's numeric target port is its port
            At("again", 1002, MeshTestCluster.OwnListener.Address),
            At("circle", 1003, IPAddress.Parse("127.96.0.77")));

        var slice = await UntilAsync(scene.Service, "EndpointSlice", text => text.Contains("\"fine\"", StringComparison.Ordinal));
        Assert.DoesNotContain("\"gateway\"", slice, StringComparison.Ordinal);
        Assert.DoesNotContain("\"circle\"", slice, StringComparison.Ordinal);
        var own = await UntilAsync(scene.Service, "Event", text => text.Contains($"{MeshTestCluster.OwnListener} is where Mesh itself listens", StringComparison.Ordinal));
        Assert.Contains("\"reason\":\"EndpointNotAllowed\"", own, StringComparison.Ordinal);
        Assert.Contains("\"kind\":\"Service\"", own, StringComparison.Ordinal);
        await UntilAsync(scene.Service, "Event", text => text.Contains("Pod circle is no endpoint: 127.96.0.77 may not be of the Service CIDR", StringComparison.Ordinal));

        await scene.ApplyAsync(Some.Row("other", 1004, 1));
        await UntilAsync(scene.Service, "EndpointSlice", text => text.Contains("\"other\"", StringComparison.Ordinal));
        Assert.Equal(2, _cluster.Cache().List("", "Event", scene.Service.Namespace).Items.Count(stored => Text(stored).Contains("EndpointNotAllowed", StringComparison.Ordinal)));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("127.96.0.77", 8080, "metadata.annotations[mesh.internal/pod-ip]", "127.96.0.77")]
    [InlineData("127.0.0.99", 8080, "spec.containers[0].ports[0].containerPort", "127.0.0.99:8080 is where Mesh itself listens")]
    public async Task A_manifest_that_names_such_a_place_is_refused(string address, int port, string field, string why)
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "wrong");

        var reply = await _cluster.Client.GetGrain<IPodGrain>(name.ToString()).Write(Some.Create(Manifest(name, address, port)), Stop);

        Assert.Equal((ObjectResult.Invalid, field), (reply.Result, reply.Field));
        Assert.Contains(why, reply.Message, StringComparison.Ordinal);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.Pod(name), Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_manifest_beside_it_is_accepted()
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "right");

        var reply = await _cluster.Client.GetGrain<IPodGrain>(name.ToString()).Write(Some.Create(Manifest(name, "127.0.0.99", 8081)), Stop);

        Assert.True(reply.Result == ObjectResult.Committed, reply.Message);
    }

    private static PodRow At(string name, long created, IPAddress address) => Some.Row(name, created, 1) with { Address = address };

    private static string Manifest(NamespacedName name, string address, int port) => $$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"{{{name.Namespace}}}","name":"{{{name.Name}}}","annotations":{"mesh.internal/pod-ip":"{{{address}}}"}},
        "spec":{"nodeName":"n1","containers":[{"name":"c","ports":[{"containerPort":{{{port}}}}]}]}}
        """;

    private static string Text(StoredObject stored) => Encoding.UTF8.GetString(stored.Document.Span);

    private async Task<string> UntilAsync(NamespacedName service, string kind, Func<string, bool> wanted)
    {
        var cache = _cluster.Cache();
        var group = kind == "Event" ? "" : "discovery.k8s.io";
        using var watch = cache.Watch(key => key.Kind == kind && key.Namespace == service.Namespace, cache.Version);
        while (true)
        {
            if (cache.List(group, kind, service.Namespace).Items.Select(Text).FirstOrDefault(wanted) is { } found)
            {
                return found;
            }

            await watch.NextAsync(Stop);
        }
    }
}

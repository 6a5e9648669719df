using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Pods;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

[Collection(ClusterGroup.Name)]
public class EndToEndTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 60_000)]
    public async Task A_registered_Pod_is_routed_on_every_node_and_gone_from_all_when_it_ends()
    {
        var (service, pod) = await ServiceAsync();
        var nodes = new[] { new TestNode("e2e-a"), new TestNode("e2e-b") };
        using var first = await Cluster.LinkAsync(nodes[0], Cluster.Silos[0]);
        using var second = await Cluster.LinkAsync(nodes[1], Cluster.Silos[1]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        await UsableAsync(nodes, service, ["web"]);
        await pod.ReportAsync(pod.Alive("u1", 2, ready: false));
        await UsableAsync(nodes, service, []);
        await pod.ReportAsync(pod.Alive("u1", 3));
        await UsableAsync(nodes, service, ["web"]);
        await pod.ReportAsync(pod.End("u1", 4));
        await UsableAsync(nodes, service, []);
        first.End();
        second.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Pod_dies_out_of_rotation_while_the_store_refuses_every_write()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-c");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[1]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        await UsableAsync([node], service, ["web"]);
        Cluster.Store.Choose((_, _) => StoreFault.Unavailable);
        await pod.ReportAsync(pod.End("u1", 2));
        await UsableAsync([node], service, []);
        Cluster.Store.Heal();
        await pod.ReportAsync(pod.End("u1", 2)); // as the node does until it is acknowledged
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
        link.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task Readiness_that_the_store_refused_is_routed_at_once_and_shown_when_the_store_is_back()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-g");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[1]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        await UsableAsync([node], service, ["web"]);
        Cluster.Store.Choose((_, _) => StoreFault.Unavailable);
        await pod.ReportAsync(pod.Alive("u1", 2, ready: false));
        await UsableAsync([node], service, []);
        Assert.True(PodDocument.IsReady((await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document));
        Cluster.Store.Heal();
        await pod.UntilAsync(stored => !PodDocument.IsReady(stored!.Document)); // nobody reports it again
        link.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_that_moves_to_another_node_is_routed_to_its_new_Pod_only()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-h");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await pod.ReportAsync(pod.Alive("u1", 9, node: "a"));
        await UsableAsync([node], service, ["web"]);
        await pod.ReportAsync(pod.End("u1", 10, node: "a"));
        await pod.ReportAsync(pod.Alive("u2", 1, node: "b")); // a lower liveness, of another uid
        await pod.ReportAsync(pod.Alive("u1", 11, node: "a")); // too late
        await node.UntilAsync(
            snapshot => snapshot.Services[service].Ports is [{ Usable: [{ Endpoint: { NodeName: "b", Order.Uid: "u2" } }] }], Stop);
        await pod.ReportAsync(pod.End("u2", 2, node: "b"));
        await UsableAsync([node], service, []);
        link.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_gateway_that_starts_while_a_Services_rows_are_unsynced_takes_nothing_from_its_node()
    {
        var scene = await EndpointScene.OpenAsync(Cluster);
        await scene.Agents[0].RegisterAsync(scene.Pod("a"));
        await scene.Agents[1].RegisterAsync(scene.Pod("b"));
        await scene.UntilAsync("a", "b");
        var before = scene.Nodes.Select(node => node.History.Count).ToArray();
        foreach (var node in scene.Nodes)
        {
            node.Asked = null; // no inventory comes: the registry waits its 3 s before it calls its rows whole
        }

        await scene.DeactivateAsync(scene.Registry);
        await scene.DeactivateAsync(scene.ServiceGrain);
        await scene.LinkAsync();
        await scene.Agents[0].RegisterAsync(scene.Pod("new"));
        await scene.UntilAsync("a", "b", "new");
        scene.AssertNeverToldEmpty();
        HashSet<string> Routed(RoutingSnapshot snapshot) =>
            [.. snapshot.Services[scene.Service].Ports[0].Usable.Select(target => target.Endpoint.Pod.Name)];
        foreach (var (node, skip) in scene.Nodes.Zip(before))
        {
            Assert.All(node.History.Skip(skip), snapshot => Assert.True(Routed(snapshot).IsSupersetOf(["a", "b"]), string.Join(' ', Routed(snapshot))));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Service_that_is_deleted_and_made_again_is_another_one_to_the_node()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-d");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        var before = await node.UntilUsableAsync(service, ["web"], Stop);
        var grain = Cluster.Client.GetGrain<IServiceGrain>(service.ToString());
        Assert.Equal(ObjectResult.Committed, (await grain.Write(Some.Delete(), Stop)).Result);
        await CreateAsync(Some.Service(service, uid: "uid-2").Replace("80,", "81,", StringComparison.Ordinal), service);
        var after = await node.UntilAsync(
            snapshot => snapshot.Services.TryGetValue(service, out var route) && route is { Service.Uid: "uid-2", IsSynced: true, Ports: [{ Usable.Length: 1 }] }, Stop);
        Assert.Equal("uid-1", before.Services[service].Service.Uid);
        Assert.Equal(81, after.Services[service].Ports[0].Port.Port);
        link.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_Service_replaced_in_one_step_is_followed_from_the_start()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-f");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        await node.UntilUsableAsync(service, ["web"], Stop);
        // The next renewal would heal it.
        Cluster.Network.Choose(call => call.MethodName == nameof(IServiceGrain.RenewEndpoints) ? Loss.Message : Loss.None);
        await Cluster.PutAsync(Kinds.Service(service), Some.Service(service, uid: "uid-2"));
        await node.UntilAsync(snapshot => snapshot.Services[service] is { Service.Uid: "uid-2", IsSynced: true, Ports: [{ Usable.Length: 1 }] }, Stop);
        await pod.ReportAsync(pod.Alive("u1", 2, ready: false));
        await node.UntilUsableAsync(service, [], Stop);
        Cluster.Network.Heal();
        link.End();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_frontend_and_the_endpoints_of_the_same_spec_arrive_together()
    {
        var (service, pod) = await ServiceAsync();
        var node = new TestNode("e2e-e");
        using var link = await Cluster.LinkAsync(node, Cluster.Silos[0]);
        await pod.ReportAsync(pod.Alive("u1", 1));
        await node.UntilUsableAsync(service, ["web"], Stop);
        var grain = Cluster.Client.GetGrain<IServiceGrain>(service.ToString());
        for (var port = 90; port < 95; port++)
        {
            await grain.Write(Some.Update(WithPort(await StoredAsync(service), port)), Stop);
            await node.UntilAsync(snapshot => snapshot.Services[service].Ports is [{ Port.Port: var now, Usable.Length: 1 }] && now == port, Stop);
        }

        var seen = node.History.Select(snapshot => snapshot.Services.GetValueOrDefault(service)).Where(route => route is { IsSynced: true });
        Assert.All(seen.SkipWhile(route => route!.Ports is not [{ Usable.Length: 1 }]), route => Assert.Single(route!.Ports[0].Usable));
        link.End();
    }

    private static string WithPort(string document, int port)
    {
        var service = JsonNode.Parse(document)!;
        service["spec"]!["ports"]![0]!["port"] = port;
        return service.ToJsonString();
    }

    private async Task<string> StoredAsync(NamespacedName service) =>
        Encoding.UTF8.GetString((await Cluster.Store.ReadAsync(Kinds.Service(service), Stop))!.Document.Span);

    private static async Task UsableAsync(IEnumerable<TestNode> nodes, NamespacedName service, string[] pods)
    {
        foreach (var node in nodes)
        {
            await node.UntilUsableAsync(service, pods, Stop);
        }
    }

    private async Task<(NamespacedName Service, ReportedPod Pod)> ServiceAsync()
    {
        var service = NamespacedName.Of(await Cluster.NamespaceAsync(), "shop");
        await CreateAsync(Some.Service(service, uid: "uid-1"), service);
        return (service, new ReportedPod(Cluster, NamespacedName.Of(service.Namespace, "web"), Stop));
    }

    private async Task CreateAsync(string document, NamespacedName service)
    {
        var reply = await Cluster.Client.GetGrain<IServiceGrain>(service.ToString()).Write(Some.Create(document), Stop);
        Assert.True(reply.Result == ObjectResult.Committed, reply.Message);
    }
}

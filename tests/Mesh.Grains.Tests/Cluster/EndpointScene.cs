using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Objects;
using Xunit;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>One Service in a namespace of its own, and a node linked to each silo.</summary>
public sealed class EndpointScene
{
    private readonly List<TestLink> _links = [];

    private EndpointScene(MeshTestCluster cluster, NamespacedName service, IReadOnlyList<TestNode> nodes)
    {
        Cluster = cluster;
        Service = service;
        Nodes = nodes;
        Agents = [.. nodes.Select(node => new TestAgent(cluster, node))];
    }

    public MeshTestCluster Cluster { get; }

    public NamespacedName Service { get; }

    public IReadOnlyList<TestNode> Nodes { get; }

    /// <summary>The Agents of the nodes, in their order.</summary>
    public IReadOnlyList<TestAgent> Agents { get; }

    public IServiceGrain ServiceGrain => Cluster.Client.GetGrain<IServiceGrain>(Service.ToString());

    public IPodRegistryGrain Registry => Cluster.Client.GetGrain<IPodRegistryGrain>(Service.Namespace + "/0");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="before">Told of the namespace before anything is in it.</param>
    public static async Task<EndpointScene> OpenAsync(MeshTestCluster cluster, Action<string>? before = null)
    {
        var service = NamespacedName.Of(await cluster.NamespaceAsync(), "web");
        before?.Invoke(service.Namespace);
        var scene = new EndpointScene(cluster, service, [new TestNode($"n1-{service.Namespace}"), new TestNode($"n2-{service.Namespace}")]);
        var reply = await scene.ServiceGrain.Write(Some.Create(Some.Service(service)), Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
        await scene.LinkAsync();
        return scene;
    }

    /// <summary>Links every node anew; a node has one link at a time.</summary>
    public async Task LinkAsync()
    {
        _links.ForEach(link => link.End());
        _links.Clear();
        for (var i = 0; i < Nodes.Count; i++)
        {
            _links.Add(await Cluster.LinkAsync(Nodes[i], Cluster.Silos[i % Cluster.Silos.Count]));
        }
    }

    public NamespacedName Pod(string name) => NamespacedName.Of(Service.Namespace, name);

    public Task ApplyAsync(params PodRow[] rows) => Registry.Apply(rows, Stop);

    /// <summary>Until every node routes to exactly these Pods.</summary>
    public Task UntilAsync(params IReadOnlyList<string> pods) =>
        Task.WhenAll(Nodes.Select(node => node.UntilUsableAsync(Service, pods, Stop)));

    /// <summary>No node was ever told of a whole set without endpoints, from the moment that it first was told of one with some.</summary>
    public void AssertNeverToldEmpty()
    {
        foreach (var node in Nodes)
        {
            var sets = node.Told.Select(EndpointsOf).OfType<EndpointsChange>().SkipWhile(set => set.Rows.IsEmpty);
            Assert.DoesNotContain(sets, set => set is { IsFull: true, IsSynced: true } && set.Rows.All(row => row.Ended));
        }
    }

    private EndpointsChange? EndpointsOf(RoutingChange change) => change switch
    {
        RoutingChange.ServiceSpec { Object: var spec, Endpoints: var endpoints } when spec.Name == Service => endpoints,
        RoutingChange.ServiceEndpoints { Service: var name, Endpoints: var endpoints } when name == Service => endpoints,
        _ => null,
    };

    /// <summary>No node ever routed the Service to nothing, from the moment that it first had an endpoint.</summary>
    public void AssertNeverEmpty()
    {
        foreach (var node in Nodes)
        {
            var sets = node.History.Select(snapshot => snapshot.Services.TryGetValue(Service, out var route) ? route.Ports[0].Usable.Length : 0);
            Assert.DoesNotContain(0, sets.SkipWhile(count => count == 0));
        }
    }

    public Task DeactivateAsync(IAddressable grain) => Cluster.Orleans.DeactivateAsync(grain);
}

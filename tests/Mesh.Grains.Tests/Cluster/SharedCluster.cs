using Xunit;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>
/// One cluster for all tests that stop no silo, one test at a time; each takes a namespace of its own and heals what it broke.
/// </summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public MeshTestCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await MeshTestCluster.StartAsync();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

/// <summary>Tests in this collection share the cluster.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterGroup : ICollectionFixture<SharedCluster>
{
    public const string Name = "cluster";
}

using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Registry;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Registry;

public sealed class NodeInventoryTests
{
    private readonly RegistryRows _rows = new(new OutboxSettings("registry", WatchedLoops.Unwatched(), new FakeTimeProvider(), new Random(1), static (_, _) => { }));

    [Fact]
    [Trait("Row", "CP-D10")]
    public void A_node_that_holds_two_Pods_of_one_name_settles_the_one_that_is_known()
    {
        _rows.Apply(Some.Row("web", created: 5, liveness: 1, ready: true));
        _rows.Apply(Some.Row("gone", created: 6, liveness: 1, ready: true));
        var known = Some.Row("web", created: 5, liveness: 7, ready: false);
        var refused = Some.Row("web", created: 9, liveness: 8, ready: true);

        _rows.Apply(new NodeInventory("n1", 9, [known, refused]));

        Assert.Equal((7ul, false, false), Shown("web"));
        Assert.Equal((9ul, false, true), Shown("gone"));
    }

    private (ulong Liveness, bool IsReady, bool IsEnded) Shown(string name)
    {
        var row = _rows.Find(name);
        Assert.NotNull(row);
        return (row.Order.Liveness, row.IsReady, row.IsEnded);
    }
}

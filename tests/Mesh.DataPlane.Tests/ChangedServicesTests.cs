using Mesh.Core.Routing;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests;

/// <summary>What a loop learns of changes that go on while it looks.</summary>
public sealed class ChangedServicesTests
{
    [Fact]
    [Trait("Row", "DP-D2")]
    public void What_changes_while_the_snapshot_is_read_is_told_once_more()
    {
        var changes = new ChangedServices();
        changes.Add([SomeRoutes.Name("first")]);

        var (told, _) = changes.Take(() =>
        {
            changes.Add([SomeRoutes.Name("second")]);
            return RoutingSnapshot.Empty;
        });

        Assert.Equal([SomeRoutes.Name("first")], told);
        Assert.Equal([SomeRoutes.Name("second")], changes.Take(() => RoutingSnapshot.Empty).Services);
    }
}

using Mesh.Grains.Nodes;
using Xunit;

namespace Mesh.Grains.Tests.Nodes;

public class NodeLivenessTests
{
    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(2, 2, true)]
    [InlineData(2, 6, true)]
    [InlineData(3, 10, false)]
    [InlineData(4, 10, true)]
    public void Pods_are_given_up_unless_two_or_more_nodes_over_30_percent_are_silent(int silent, int all, bool mass) =>
        Assert.Equal(mass, NodeLiveness.IsMassSilence(silent, all));
}

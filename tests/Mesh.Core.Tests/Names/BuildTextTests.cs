using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Names;

public sealed class BuildTextTests
{
    [Theory]
    [InlineData("0.1.0+8c15844004e0a92bd415051266bc56c8c44d530d-eb9c4a3760147930", "0.1.0+8c158440")]
    [InlineData("0.1.0+8c158440", "0.1.0+8c158440")]
    [InlineData("0.1.0+8c1", "0.1.0+8c1")]
    [InlineData("0.1.0", "0.1.0")]
    [InlineData("", "")]
    public void A_build_is_its_version_and_the_beginning_of_its_commit(string build, string shown) =>
        Assert.Equal(shown, BuildText.Short(build));
}

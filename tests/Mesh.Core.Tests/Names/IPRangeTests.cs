using System.Net;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Names;

public class IPRangeTests
{
    [Fact]
    public void A_block_counts_its_addresses()
    {
        var block = IPRange.Parse("127.96.0.0/16");

        Assert.Equal(65_536, block.Size);
        Assert.Equal(IPAddress.Parse("127.96.1.2"), block[258]);
        Assert.Equal(258, block.IndexOf(IPAddress.Parse("127.96.1.2")));
        Assert.True(block.Contains(IPAddress.Parse("127.96.255.255")));
        Assert.False(block.Contains(IPAddress.Parse("127.97.0.0")));
        Assert.False(block.Contains(IPAddress.Parse("::1")));
        Assert.Equal("127.96.0.0/16", block.ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => block[65_536]);
    }

    [Theory]
    [Trait("Row", "SVC-A2")]
    [InlineData("127.96.0.0/16", 256)]
    [InlineData("10.0.0.0/24", 16)]
    [InlineData("10.0.0.0/28", 16)]
    [InlineData("10.0.0.0/29", 0)]
    [InlineData("10.0.0.0/20", 256)]
    public void The_static_band_has_the_size_that_Kubernetes_gives_it(string block, long band) => Assert.Equal(band, IPRange.Parse(block).StaticBand);

    [Theory]
    [InlineData("127.96.0.1/16")]
    [InlineData("127.96.0.0")]
    [InlineData("127.96.0.0/33")]
    [InlineData("127.96.0.0/-1")]
    [InlineData("127.96/16")]
    [InlineData("fd00::/8")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_IPv4_block_is_refused(string? text) => Assert.False(IPRange.TryCreate(text, out _));

    [Fact]
    public void Blocks_overlap_when_one_holds_the_other()
    {
        Assert.True(IPRange.Parse("127.0.0.0/8").Overlaps(IPRange.Parse("127.96.0.0/16")));
        Assert.True(IPRange.Parse("127.96.0.0/16").Overlaps(IPRange.Parse("127.0.0.0/8")));
        Assert.False(IPRange.Parse("127.96.0.0/16").Overlaps(IPRange.Parse("127.80.0.0/16")));
        Assert.Equal(1L << 32, IPRange.Parse("0.0.0.0/0").Size);
    }
}

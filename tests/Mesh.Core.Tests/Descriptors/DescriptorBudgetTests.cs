using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Descriptors;

/// <summary>Who takes all that there is leaves enough for the process, for each listener, and for every other Service.</summary>
[Trait("Row", "S-F2")]
public sealed class DescriptorBudgetTests
{
    [Theory]
    [InlineData(256, 0)]
    [InlineData(400, 80)]
    [InlineData(512, 192)]
    [InlineData(1024, 704)]
    [InlineData(20_000, 17_952)]
    [InlineData(1_048_576, 65_536)]
    [InlineData(long.MaxValue, 65_536)]
    public void The_process_keeps_a_reserve_for_itself(long files, int shared) => Assert.Equal(shared, new DescriptorBudget(files).Shared);

    [Theory]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(20_000)]
    public void One_that_takes_all_it_gets_leaves_a_quarter_and_each_next_one_a_quarter_of_that(int files)
    {
        var budget = new DescriptorBudget(files);
        var left = budget.Shared;
        foreach (var name in (string[])["a", "b", "c"])
        {
            var share = budget.OpenFor(NamespacedName.Of("default", name));
            while (share.TryTake(2))
            {
            }

            Assert.InRange(share.Used, (left * 3 / 4) - 2, (left * 3 / 4) + 2);
            left -= share.Used;
        }

        Assert.True(budget.OpenFor(NamespacedName.Of("default", "d")).HasRoom(), "whoever comes next finds a place");
    }

    [Fact]
    public void What_is_set_aside_for_a_listener_is_there_whoever_has_the_rest()
    {
        var budget = new DescriptorBudget(1024);
        var ingress = budget.Open("Ingress", own: 5);
        var probes = budget.SetAside(own: 10, most: 1000);
        List<DescriptorShare> hogs = [.. Enumerable.Range(0, 100).Select(i => budget.OpenFor(NamespacedName.Of("default", $"s{i}")))];
        while (hogs.Any(static hog => hog.TryTake()))
        {
        }

        for (var i = 0; i < 704 * 5 / 100; i++)
        {
            Assert.True(ingress.TryTake());
        }

        Assert.False(ingress.TryTake());
        Assert.Equal(70, probes);
        Assert.True(hogs.Sum(static hog => hog.Used) + ingress.Used + probes <= budget.Shared);
    }

    [Fact]
    public void Whatever_is_taken_and_given_back_in_whatever_order_no_more_is_out_than_there_is()
    {
        var random = new Random(7);
        var budget = new DescriptorBudget(600);
        List<DescriptorShare> shares = [budget.Open("a", 10), budget.Open("b", 5), .. Enumerable.Range(0, 5).Select(i => budget.OpenFor(NamespacedName.Of("default", $"s{i}")))];
        var refused = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var share = shares[random.Next(shares.Count)];
            var count = 1 + random.Next(3);
            if (random.Next(3) > 0)
            {
                refused += share.TryTake(count) ? 0 : 1;
            }
            else if (share.Used >= count)
            {
                share.Give(count);
            }

            Assert.True(shares.Sum(static share => share.Used) <= budget.Shared);
        }

        Assert.InRange(refused, 1000, 90_000); // the limits were reached
        foreach (var share in shares)
        {
            share.Give(share.Used);
        }

        Assert.True(shares[2].HasRoom((budget.Shared * 85 / 100) * 3 / 4));
    }

    [Fact]
    public void A_share_that_is_used_up_is_told_once_with_what_helps()
    {
        var budget = new DescriptorBudget(1024);
        var share = budget.OpenFor(NamespacedName.Of("default", "web"));
        while (share.TryTake())
        {
        }

        Assert.Equal([share], budget.TakeRefused());
        Assert.Empty(budget.TakeRefused());
        Assert.Equal(
            "Connections to Service default/web have 528 of the 704 files and sockets that may be open for connections, and get no more now: close some, or raise the limit of 1024 (ulimit -n)",
            share.WhyFull);
        share.Give();
        Assert.True(share.HasRoom());
    }

    [Fact]
    public void Nothing_is_given_back_that_was_not_taken() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DescriptorBudget(1024).Open("a", 1).Give());
}

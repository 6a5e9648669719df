using CsCheck;
using Mesh.Grains.Keeping;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

public class RendezvousTests
{
    private static readonly Gen<string[]> Members = Gen.Int[0, 9].Select(n => $"127.0.0.1:1111{n}@{n}").HashSet[1, 6].Select(set => set.ToArray());
    private static readonly Gen<string> Key = Gen.Int[0, 999].Select(n => $"Pod/default/web-{n}");

    [Fact]
    public void A_member_that_leaves_moves_only_its_own_keys() =>
        Gen.Select(Key, Members).Where((_, members) => members.Length > 1).Sample((key, members) =>
        {
            var owner = Rendezvous.Owner(key, members);
            var other = members.First(member => member != owner);
            return Rendezvous.Owner(key, [.. members.Where(member => member != other)]) == owner;
        });

    [Fact]
    public void The_order_in_which_members_are_listed_does_not_matter() =>
        Gen.Select(Key, Members).Sample((key, members) =>
            Rendezvous.Owner(key, members) == Rendezvous.Owner(key, [.. members.Reverse()]));

    [Fact]
    public void Every_member_keeps_its_share()
    {
        string[] members = ["127.0.0.1:11111@1", "127.0.0.1:11112@1", "127.0.0.1:11113@1"];
        var shares = Enumerable.Range(0, 3000).CountBy(n => Rendezvous.Owner($"Service/default/s{n}", members)).ToDictionary();
        Assert.Equal(3, shares.Count);
        Assert.All(shares.Values, share => Assert.InRange(share, 800, 1200));
    }
}

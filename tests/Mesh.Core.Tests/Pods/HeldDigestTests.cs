using CsCheck;
using Mesh.Core.Pods;
using Xunit;

namespace Mesh.Core.Tests.Pods;

public class HeldDigestTests
{
    private static readonly string[] Names = ["a", "b", "ab"];
    private static readonly string[] Uids = ["u", "bu", "1"];

    private static readonly Gen<(string Name, string Uid, ulong Liveness)> Pod =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2], Gen.ULong[0, 2]).Select(pod => (Names[pod.Item1], Uids[pod.Item2], pod.Item3));

    [Fact]
    public void The_order_in_which_Pods_are_listed_does_not_matter() =>
        Pod.Array[0, 6].Sample(pods => HeldDigest.Of(pods) == HeldDigest.Of(pods.Reverse()));

    [Fact]
    public void Two_lists_that_differ_have_different_digests() =>
        Gen.Select(Pod.HashSet[0, 2], Pod.HashSet[0, 2]).Sample((left, right) => left.SetEquals(right) == (HeldDigest.Of(left) == HeldDigest.Of(right)));

    [Fact]
    public void Equal_and_different_lists_are_both_tried()
    {
        var (equal, different) = (0, 0);
        Gen.Select(Pod.HashSet[0, 2], Pod.HashSet[0, 2]).Sample(
            (left, right) => _ = left.SetEquals(right) ? Interlocked.Increment(ref equal) : Interlocked.Increment(ref different), iter: 1000);
        Assert.True(equal > 0 && different > 0);
    }
}

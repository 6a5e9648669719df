using System.Text;
using System.Text.Json;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Strict;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Strict;

/// <summary>Where a network cuts a client's bytes decides nothing: not what is refused, not what Kestrel is shown.</summary>
public sealed class SegmentationTests
{
    private const int Limit = 60_000;
    private const int Streams = 1_500;

    private static readonly IngressOptions Limits = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IEnumerable<TheoryDataRow<string, string>> Accepted =>
        HostileRequests.Accepted().Select(static row => new TheoryDataRow<string, string>(row.Data.Item1, row.Data.Item2));

    public static IEnumerable<TheoryDataRow<string, string>> Refused =>
        HostileRequests.RefusedHeads().Concat(HostileRequests.RefusedBodies()).Select(static row => new TheoryDataRow<string, string>(row.Data.Item1, row.Data.Item2));

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Accepted))]
    public async Task An_unusual_but_legal_request_is_shown_alike_whole_and_byte_by_byte(string row, string escaped)
    {
        var bytes = Encoding.Latin1.GetBytes(HostileRequests.Unescape(escaped));

        var whole = await Reading.OfAsync(bytes, [], Stop);

        Assert.True((whole.Head, whole.Body) is (null, null), $"{row}: {whole}");
        Assert.Equal(whole, await Reading.OfAsync(bytes, Enumerable.Range(1, bytes.Length - 1), Stop));
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Refused))]
    public async Task What_is_refused_is_refused_byte_by_byte_too(string row, string escaped)
    {
        var bytes = Encoding.Latin1.GetBytes(HostileRequests.Unescape(escaped));

        var whole = await Reading.OfAsync(bytes, [], Stop);

        Assert.True((whole.Head, whole.Body) is not (null, null), $"{row}: {whole}");
        AssertAlike(whole, await Reading.OfAsync(bytes, Enumerable.Range(1, bytes.Length - 1), Stop), bytes);
    }

    [Theory(Timeout = Limit)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Some_requests_with_a_wrong_byte_here_or_there_end_alike_however_they_are_cut(int seed)
    {
        var random = new Random(seed);
        var (refused, shown) = (0, 0);
        for (var number = 0; number < Streams; number++)
        {
            var bytes = SomeRequests.Next(random);
            var whole = await Reading.OfAsync(bytes, [], Stop);
            var cuts = Enumerable.Range(1, Math.Max(bytes.Length - 1, 0)).Where(_ => random.Next(8) == 0).ToArray();

            AssertAlike(whole, await Reading.OfAsync(bytes, cuts, Stop), bytes);
            _ = whole.Head is null && whole.Body is null ? shown++ : refused++;
        }

        Assert.True(refused > Streams / 10 && shown > Streams / 10, $"{refused} refused, {shown} shown"); // both were reached
    }

    [Fact]
    public void A_valid_head_is_waited_for_up_to_its_last_byte_and_nothing_behind_it_is_looked_at()
    {
        foreach (var row in HostileRequests.Accepted())
        {
            var bytes = Encoding.Latin1.GetBytes(HostileRequests.Unescape(row.Data.Item2));
            var length = RequestHeadParser.Parse(bytes, Limits).Length;
            Assert.True(length > 0);
            for (var end = 0; end < length; end++)
            {
                Assert.Equal(RequestHead.Incomplete, RequestHeadParser.Parse(bytes.AsSpan(0, end), Limits));
            }

            Assert.Equal(length, RequestHeadParser.Parse([.. bytes[..length], 0, 0xff, (byte)'\n'], Limits).Length);
        }
    }

    /// <summary>Of a body that is refused, as much was shown before as had come; all else is the same.</summary>
    private static void AssertAlike(Reading whole, Reading cut, byte[] bytes)
    {
        var said = JsonSerializer.Serialize(Encoding.Latin1.GetString(bytes));
        Assert.True((whole.Head, whole.Body) == (cut.Head, cut.Body), $"{said}: whole {whole}, cut {cut}");
        Assert.True(whole.Body is null ? whole.Shown == cut.Shown : cut.Shown.StartsWith(whole.Shown, StringComparison.Ordinal), $"{said}: whole {whole}, cut {cut}");
    }
}

using Mesh.Grains.Services;
using Xunit;

namespace Mesh.Grains.Tests.Services;

public sealed class FreeNumbersTests
{
    [Fact]
    [Trait("Row", "SVC-P2")]
    [Trait("Row", "SVC-A2")]
    public void Those_who_ask_for_none_get_the_upper_band_first_and_then_the_lower()
    {
        var free = new FreeNumbers(20, 16, new Random(1), static _ => [17]);

        var given = Enumerable.Range(0, 19).Select(_ => free.Suggest(keep: true)).ToList();

        Assert.Equal([16, 18, 19], given.Take(3).Order());
        Assert.Equal(Enumerable.Range(0, 16).Select(number => (int?)number), given.Skip(3).Order());
    }

    [Fact]
    public void A_suggestion_that_is_not_kept_takes_nothing_and_what_others_released_is_found_when_nothing_is_left()
    {
        List<int> taken = [0, 1];
        var free = new FreeNumbers(2, 0, new Random(1), _ => taken);
        Assert.Null(free.Suggest(keep: true));

        taken.Remove(1);

        Assert.Equal((1, 1), (free.Suggest(keep: false), free.Suggest(keep: true)));
    }

    [Fact]
    public void What_must_not_be_is_passed_over() =>
        Assert.Equal(2, new FreeNumbers(3, 0, new Random(1), static _ => []).Suggest(keep: false, number => number < 2));
}

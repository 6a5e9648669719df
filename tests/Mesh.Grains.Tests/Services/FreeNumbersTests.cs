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
        List<int> taken = [17];
        var free = new FreeNumbers(20, 16, new Random(1), _ => taken);

        var given = new List<int?>();
        for (var i = 0; i < 19; i++)
        {
            given.Add(free.Suggest(keep: true));
            taken.Add(given[^1]!.Value);
        }

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
    public void What_was_released_is_given_before_those_that_are_left_to_who_asks()
    {
        var free = new FreeNumbers(20, 16, new Random(1), static _ => [16, 17, 18]);

        // Each one that was given is released, or its write was refused.
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Equal(19, free.Suggest(keep: true)));
    }

    [Fact]
    public void What_must_not_be_is_passed_over() =>
        Assert.Equal(2, new FreeNumbers(3, 0, new Random(1), static _ => []).Suggest(keep: false, number => number < 2));
}

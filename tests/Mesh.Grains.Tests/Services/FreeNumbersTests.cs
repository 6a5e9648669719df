using Mesh.Grains.Services;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Services;

public sealed class FreeNumbersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<int> _taken = [];
    private int _looks;

    [Fact]
    [Trait("Row", "SVC-P2")]
    [Trait("Row", "SVC-A2")]
    public void Those_who_ask_for_none_get_the_upper_band_first_and_then_the_lower()
    {
        _taken.Add(17);
        var free = Free(20, 16);

        var given = new List<int?>();
        for (var i = 0; i < 19; i++)
        {
            given.Add(free.Suggest(keep: true));
            _taken.Add(given[^1]!.Value);
        }

        Assert.Equal([16, 18, 19], given.Take(3).Order());
        Assert.Equal(Enumerable.Range(0, 16).Select(number => (int?)number), given.Skip(3).Order());
    }

    [Fact]
    public void A_suggestion_that_is_not_kept_takes_nothing_and_what_others_released_is_found_when_nothing_is_left()
    {
        _taken.AddRange([0, 1]);
        var free = Free(2, 0);
        Assert.Null(free.Suggest(keep: true));

        _taken.Remove(1);

        Assert.Equal((1, 1), (free.Suggest(keep: false), free.Suggest(keep: true)));
    }

    [Fact]
    public void What_was_released_a_while_ago_is_given_before_those_that_are_left_to_who_asks()
    {
        _taken.AddRange([16, 17, 18]);
        var free = Free(20, 16);

        // Each one that was given is released, or its write was refused.
        Assert.All(Enumerable.Range(0, 5), _ =>
        {
            Assert.Equal(19, free.Suggest(keep: true));
            _time.Advance(FreeNumbers.MarkedFor);
            Assert.InRange(free.Suggest(keep: false)!.Value, 0, 15); // it may be about to be committed
            _time.Advance(FreeNumbers.MarkedFor);
        });
    }

    [Fact]
    public void A_look_at_what_others_hold_leaves_marked_what_is_about_to_be_committed()
    {
        _taken.AddRange(Enumerable.Range(0, 12));
        var free = Free(16, 0);

        // As many writers as numbers are left, none of them committed: each look finds the same rows.
        var given = Enumerable.Range(0, 4).Select(_ =>
        {
            _time.Advance(FreeNumbers.LookEvery);
            return free.Suggest(keep: true);
        });

        Assert.Equal([12, 13, 14, 15], given.Order());
    }

    [Fact]
    public void While_the_upper_band_is_full_what_others_hold_is_looked_at_once_in_a_while()
    {
        _taken.AddRange([16, 17, 18, 19]);
        var free = Free(20, 16);

        Assert.All(Enumerable.Range(0, 10), _ => Assert.InRange(free.Suggest(keep: true)!.Value, 0, 15));
        Assert.Equal(1, _looks);

        _time.Advance(FreeNumbers.LookEvery);
        free.Suggest(keep: true);
        free.Suggest(keep: true);
        Assert.Equal(2, _looks);
    }

    [Fact]
    public void No_mark_alone_makes_it_full()
    {
        _taken.AddRange([0, 1]);
        var free = Free(3, 0);

        // Its write may have been refused: the commit decides.
        Assert.Equal([2, 2, 2], Enumerable.Range(0, 3).Select(_ => free.Suggest(keep: true)));
    }

    [Fact]
    public void What_must_not_be_is_passed_over() => Assert.Equal(2, Free(3, 0).Suggest(keep: false, number => number < 2));

    private FreeNumbers Free(int size, int band) => new(size, band, _time, new Random(1), _ =>
    {
        _looks++;
        return _taken;
    });
}

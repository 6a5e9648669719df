using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests;

/// <summary>Chance that many threads ask at once.</summary>
[Trait("Row", "DP-D1")]
public sealed class ChanceTests
{
    private const int Each = 20_000;

    [Fact]
    public void Uids_that_many_threads_make_at_once_are_all_different()
    {
        var random = new SystemRandom();

        Assert.Equal(4 * Each, AtOnce(() => Uid.New(random)).Distinct().Count());
    }

    [Fact]
    public void No_number_is_drawn_by_two_threads()
    {
        var chance = new SplitMix(new Random(1));

        Assert.Equal(4 * Each, AtOnce(chance.Next).Distinct().Count());
    }

    [Fact]
    public void Each_of_a_few_is_drawn_as_often_as_the_others()
    {
        var chance = new SplitMix(new Random(1));

        var drawn = AtOnce(() => chance.Next(5)).CountBy(number => number).ToDictionary();

        Assert.Equal([0, 1, 2, 3, 4], drawn.Keys.Order());
        Assert.All(drawn.Values, times => Assert.InRange(times, 4 * Each / 5 * 0.95, 4 * Each / 5 * 1.05));
    }

    [Fact]
    public void The_systems_numbers_keep_to_their_bounds()
    {
        var random = new SystemRandom();

        for (var time = 0; time < 1_000; time++)
        {
            Assert.InRange(random.Next(), 0, int.MaxValue - 1);
            Assert.InRange(random.Next(3), 0, 2);
            Assert.InRange(random.Next(-2, 2), -2, 1);
            Assert.InRange(random.NextInt64(), 0, long.MaxValue);
            Assert.InRange(random.NextDouble(), 0, 0.9999999999999999);
        }
    }

    private static T[] AtOnce<T>(Func<T> draw)
    {
        var drawn = new T[4][];
        var threads = Enumerable.Range(0, 4).Select(thread => new Thread(() => drawn[thread] = [.. Enumerable.Range(0, Each).Select(_ => draw())])).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return [.. drawn.SelectMany(some => some)];
    }
}

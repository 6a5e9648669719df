using Mesh.Grains.Projections;
using Mesh.Grains.Tests.Delivery;
using Mesh.Storage;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Projections;

public class ProjectionPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TurnScheduler _turns = new();
    private readonly JumpingClock _clock;
    private readonly ProjectionPace _pace;
    private int _failures;

    public ProjectionPaceTests()
    {
        _clock = new JumpingClock(_time);
        _pace = new ProjectionPace(_clock);
    }

    [Fact]
    public void An_object_is_written_at_once_then_once_a_second_and_only_its_newest_state()
    {
        var shown = new Shown();
        var projection = Open(shown);
        for (var state = 1; state <= 10; state++)
        {
            Change(projection, shown, state);
        }

        Assert.Equal([1], shown.Writes);
        Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal([1], shown.Writes);
        Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal([1, 10], shown.Writes);
        Advance(TimeSpan.FromSeconds(10));
        Change(projection, shown, 11);
        Assert.Equal([1, 10, 11], shown.Writes);
    }

    [Fact]
    public void A_silo_writes_300_rows_a_second_whatever_waits()
    {
        Shown[] all = [.. Enumerable.Range(0, 1000).Select(_ => new Shown())];
        foreach (var shown in all)
        {
            Change(Open(shown), shown, 1);
        }

        var atOnce = all.Sum(shown => shown.Writes.Count);
        Assert.InRange(atOnce, 299, 301);
        Advance(TimeSpan.FromSeconds(1));
        Assert.InRange(all.Sum(shown => shown.Writes.Count) - atOnce, 299, 301);
        Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1000, all.Sum(shown => shown.Writes.Count));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    public void A_wall_clock_that_is_set_neither_holds_up_nor_hurries_what_is_written(int hours)
    {
        var shown = new Shown();
        var projection = Open(shown);
        Change(projection, shown, 1);
        _clock.SetWall(TimeSpan.FromHours(hours));
        Change(projection, shown, 2);
        Assert.Equal([1], shown.Writes);
        Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal([1, 2], shown.Writes);

        Shown[] all = [.. Enumerable.Range(0, 1000).Select(_ => new Shown())];
        foreach (var other in all)
        {
            Change(Open(other), other, 1);
        }

        _clock.SetWall(TimeSpan.FromHours(hours));
        Assert.InRange(all.Sum(other => other.Writes.Count), 299, 301);
        Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(1000, all.Sum(other => other.Writes.Count));
    }

    [Fact]
    public void A_look_that_finds_no_difference_costs_nothing()
    {
        var same = new Shown();
        var projection = Open(same);
        for (var looks = 0; looks < 10_000; looks++)
        {
            _turns.Run(projection.Mark);
        }

        var shown = new Shown();
        Change(Open(shown), shown, 1);
        Assert.Equal([1], shown.Writes);
        Assert.Empty(same.Writes);
    }

    [Fact]
    public void What_the_store_did_not_take_is_written_again_with_the_newest_state()
    {
        var shown = new Shown { Failing = 2 };
        var projection = Open(shown);
        Change(projection, shown, 1);
        Change(projection, shown, 2);
        Advance(TimeSpan.FromMilliseconds(20));
        Advance(TimeSpan.FromMilliseconds(40));
        Assert.Equal([2], shown.Writes);
        Assert.Equal(2, _failures);
    }

    private Projection Open(Shown shown) => new(shown, _pace, new WatchedLoops(_time).Loops, _clock, new Random(1), _ => _failures++);

    private void Change(Projection projection, Shown shown, int state) => _turns.Run(() =>
    {
        shown.State = state;
        projection.Mark();
    });

    private void Advance(TimeSpan by)
    {
        _time.Advance(by);
        _turns.RunAll();
    }

    private sealed class Shown : IProjected
    {
        public int State { get; set; }

        public int Failing { get; set; }

        public List<int> Writes { get; } = [];

        public ValueTask<bool> DiffersAsync(CancellationToken stop) => ValueTask.FromResult(Writes.LastOrDefault() != State);

        public Task<ProjectionStep> WriteAsync(CancellationToken stop)
        {
            if (Failing-- > 0)
            {
                throw new StoreUnavailableException("the test's store refuses");
            }

            Writes.Add(State);
            return Task.FromResult<ProjectionStep>(new ProjectionStep.Written(1));
        }
    }
}

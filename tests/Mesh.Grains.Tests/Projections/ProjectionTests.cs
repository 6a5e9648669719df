using Mesh.Grains.Projections;
using Mesh.Grains.Tests.Delivery;
using Mesh.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Projections;

public sealed class ProjectionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TurnScheduler _turns = new();

    [Fact]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "projection")]
    public void What_could_not_be_composed_is_told_and_the_next_change_is_written()
    {
        var loops = new WatchedLoops(_time);
        var shown = new Shown { Fault = new InvalidDataException("planted") };
        var isWriting = new List<bool>(); // as it was told
        var projection = new Projection(shown, new ProjectionPace(_time), loops.Loops, _time, new Random(1), _ => { }, isWriting.Add);
        _turns.Run(projection.Mark);
        Assert.Contains("'projection' ended unexpectedly (InvalidDataException: planted)", Assert.Single(loops.Lines).Text, StringComparison.Ordinal);

        _turns.Run(projection.Mark); // while it is down
        Assert.Equal(0, shown.Written);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        _turns.RunAll();
        Assert.Equal(1, shown.Written);
        Assert.Null(loops.Loops.WhyNotReady());
        Assert.Equal([true], isWriting);
        _time.Advance(Projection.Period);
        _turns.RunAll();
        Assert.Equal([true, false], isWriting);
    }

    [Fact]
    public void What_met_an_exception_is_tried_again_though_nothing_changes()
    {
        var loops = new WatchedLoops(_time);
        var shown = new Shown { Fault = new InvalidDataException("planted") };
        var isWriting = new List<bool>();
        var projection = new Projection(shown, new ProjectionPace(_time), loops.Loops, _time, new Random(1), _ => { }, isWriting.Add);
        _turns.Run(projection.Mark);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        _turns.RunAll();
        Assert.Equal(0, shown.Written);
        Assert.Equal([true], isWriting); // it is held: nobody else may know

        _time.Advance(Projection.TryAgain);
        _turns.RunAll();
        Assert.Equal(1, shown.Written);
    }

    private sealed class Shown : IProjected
    {
        public Exception? Fault { get; set; }

        public int Written { get; private set; }

        public ValueTask<bool> DiffersAsync(CancellationToken stop)
        {
            if (Fault is { } fault)
            {
                Fault = null;
                throw fault;
            }

            return ValueTask.FromResult(true);
        }

        public Task<ProjectionStep> WriteAsync(CancellationToken stop)
        {
            Written++;
            return Task.FromResult<ProjectionStep>(new ProjectionStep.Written(1));
        }
    }
}

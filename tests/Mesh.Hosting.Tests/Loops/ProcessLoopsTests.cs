using Mesh.Loops;
using Mesh.Testing;
using Mesh.Testing.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>What becomes of a background loop that ends though nobody stopped it.</summary>
[Trait("Row", "CP-D8")]
[Trait("Row", "DP-D4")]
public sealed class ProcessLoopsTests
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly FakeTimeProvider _time = new();
    private readonly WatchedLoops _log;

    private ProcessLoops Loops => _log.Loops;

    public ProcessLoopsTests()
    {
        // What the tests complete goes on in their own thread.
        SynchronizationContext.SetSynchronizationContext(null);
        _log = new WatchedLoops(_time);
    }

    [Fact]
    public void A_loop_that_throws_runs_again_after_a_pause_and_is_told_once()
    {
        var loop = new PlantedLoop(Loops).Start();
        Assert.Null(Loops.WhyNotReady());

        loop.Fail(new InvalidDataException("a torn row"));
        Assert.Equal(1, loop.Runs);
        Assert.Equal("the loop 'planted' is down (InvalidDataException); the log says why", Loops.WhyNotReady());
        var line = Assert.Single(_log.Lines);
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Contains("'planted'", line.Text, StringComparison.Ordinal);
        Assert.Contains("InvalidDataException: a torn row", line.Text, StringComparison.Ordinal);

        _time.Advance(FirstPause);
        Assert.Equal(2, loop.Runs);
        Assert.Null(Loops.WhyNotReady());
    }

    [Fact]
    public void A_loop_that_returns_has_ended_too()
    {
        var loop = new PlantedLoop(Loops).Start();
        loop.Return();
        Assert.Equal("the loop 'planted' is down (it returned); the log says why", Loops.WhyNotReady());
        _time.Advance(FirstPause);
        Assert.Equal(2, loop.Runs);
    }

    [Fact]
    public void A_call_that_was_cancelled_by_somebody_else_is_an_end_like_any_other()
    {
        var loop = new PlantedLoop(Loops).Start();
        loop.Fail(new OperationCanceledException("another's token"));
        Assert.False(loop.Task.IsCompleted);
        _time.Advance(FirstPause);
        Assert.Equal(2, loop.Runs);
    }

    [Fact]
    public void One_that_keeps_failing_waits_longer_each_time_and_is_named_until_it_has_run_for_half_a_minute()
    {
        var loop = new PlantedLoop(Loops).Start();
        var pause = FirstPause;
        for (var times = 1; times <= 12; times++)
        {
            loop.Fail(new InvalidDataException("a torn row"));
            _time.Advance(pause - TimeSpan.FromMilliseconds(1));
            Assert.Equal(times, loop.Runs);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(times + 1, loop.Runs);
            pause = pause * 2 < TimeSpan.FromSeconds(1) ? pause * 2 : TimeSpan.FromSeconds(1);
        }

        Assert.Equal("the loop 'planted' keeps failing (12 times in a row, InvalidDataException); the log says why", Loops.WhyNotReady());
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(Loops.WhyNotReady());

        loop.Fail(new InvalidDataException("a torn row"));
        _time.Advance(FirstPause); // it was well: this is a first end
        Assert.Equal(14, loop.Runs);
        Assert.Null(Loops.WhyNotReady());
    }

    [Fact]
    public void The_log_tells_the_first_end_of_a_name_and_then_one_line_a_minute_with_their_number()
    {
        PlantedLoop[] loops = [.. Enumerable.Range(0, 100).Select(_ => new PlantedLoop(Loops).Start())];
        foreach (var loop in loops)
        {
            loop.Fail(new InvalidDataException("a torn row"));
        }

        Assert.Contains("; 1 such ends", Assert.Single(_log.Lines).Text, StringComparison.Ordinal);
        Assert.Equal("100 loops 'planted' are down or keep failing; the log says why", Loops.WhyNotReady());
        _time.Advance(ToldSeldom.Every);
        loops[7].Fail(new InvalidDataException("a torn row"));
        Assert.Contains("; 100 such ends", _log.Lines[1].Text, StringComparison.Ordinal);
        new PlantedLoop(Loops, "another").Start().Fail(new InvalidDataException("a torn row"));
        Assert.Equal(3, _log.Lines.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task What_a_loop_meets_while_it_is_stopped_is_told_and_is_no_end()
    {
        using var stop = new CancellationTokenSource();
        var running = Loops.RunAsync("planted", FailWhenStoppedAsync, stop.Token);
        await stop.CancelAsync();
        await running;
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Information, "The loop 'planted' was stopped while it met an exception (InvalidDataException: a torn row)"), (line.Level, line.Text));
        Assert.Null(Loops.WhyNotReady());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_loop_that_was_stopped_is_forgotten_however_it_ended()
    {
        var (calm, failing, down) = (new PlantedLoop(Loops).Start(), new PlantedLoop(Loops).Start(), new PlantedLoop(Loops).Start());
        failing.Fail(new InvalidDataException("a torn row"));
        _time.Advance(FirstPause);
        failing.Fail(new InvalidDataException("a torn row"));
        _time.Advance(2 * FirstPause);
        down.Fail(new InvalidDataException("a torn row"));
        Assert.NotNull(Loops.WhyNotReady());

        calm.Stop();
        failing.Stop();
        down.Stop(); // in its pause
        await Task.WhenAll(calm.Task, failing.Task, down.Task);
        Assert.Null(Loops.WhyNotReady());
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((1, 3, 1), (calm.Runs, failing.Runs, down.Runs));
    }

    [Fact]
    public void Work_that_returns_has_nothing_left_to_do_and_work_that_throws_is_tried_again()
    {
        var work = new PlantedLoop(Loops).StartToEnd();
        work.Fail(new InvalidDataException("a torn row"));
        _time.Advance(FirstPause);
        Assert.Equal(2, work.Runs);
        work.Return();
        Assert.True(work.Task.IsCompletedSuccessfully);
        Assert.Null(Loops.WhyNotReady());
    }

    [Fact]
    public void A_loop_that_cannot_be_made_anew_ends_the_process_with_one_line()
    {
        var ends = new List<string>();
        var loop = new PlantedLoop(Loops).StartOrEndProcess(ends.Add);
        loop.Fail(new InvalidDataException("a torn row"));
        Assert.True(loop.Task.IsCompletedSuccessfully);
        Assert.Equal(["its loop 'planted' ended unexpectedly: InvalidDataException: a torn row"], ends);
        Assert.Equal(LogLevel.Critical, Assert.Single(_log.Lines).Level);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, loop.Runs);
        Assert.Equal("the loop 'planted' is down (InvalidDataException); the log says why", Loops.WhyNotReady());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_loop_that_throws_before_it_waits_does_not_reach_whoever_started_it()
    {
        using var stop = new CancellationTokenSource();
        var running = Loops.RunAsync("planted", _ => throw new InvalidDataException("at once"), stop.Token);
        Assert.Single(_log.Lines);
        await stop.CancelAsync();
        await running;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_loop_of_a_thread_runs_again_on_another()
    {
        using var stop = new CancellationTokenSource();
        var runs = 0;
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = WatchedLoops.Unwatched().RunAsync(
            "planted",
            ProcessLoops.OnThread(end =>
            {
                if (++runs == 1)
                {
                    throw new InvalidDataException("a torn row");
                }

                again.SetResult();
                end.WaitHandle.WaitOne();
            }),
            stop.Token);
        await again.Task.WaitAsync(TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await running;
        Assert.Equal(2, runs);
    }

    [Fact]
    public void Each_end_is_counted_by_the_name_of_its_loop()
    {
        using var measured = new Measured("Mesh.Loops");
        var loop = new PlantedLoop(Loops, "counted").Start();
        loop.Fail(new InvalidDataException("a torn row"));
        _time.Advance(FirstPause);
        loop.Fail(new InvalidDataException("a torn row"));
        loop.Stop();
        Assert.Equal(2, measured.Sum("mesh.loop.ends", "mesh.loop.name=counted"));
    }

    private static async Task FailWhenStoppedAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = stop.Register(stopped.SetResult);
        await stopped.Task;
        throw new InvalidDataException("a torn row");
    }
}

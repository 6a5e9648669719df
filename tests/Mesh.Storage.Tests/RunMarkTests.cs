using Mesh.Storage.Sqlite;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Storage.Tests;

public sealed class RunMarkTests : IDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-mark-");

    private string Mark => Path.Combine(_directory, "mesh.db.mark");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "run mark")]
    public async Task A_mark_that_met_an_exception_is_written_a_second_later_and_the_last_one_is_exact()
    {
        var stop = TestContext.Current.CancellationToken;
        var loops = new WatchedLoops();
        var time = new PlantedTime();
        var opened = new RunMark("t", 1, 0);
        await using (var mark = new RunMarkLoop(opened, Mark, time, NullLogger.Instance))
        {
            mark.Committed(5);
            time.FailTimers(1, static (_, _) => true);
            mark.Start(loops.Loops);
            Assert.IsType<InvalidOperationException>(await loops.EndedAsync("run mark", stop));
            await time.NextTimerAsync(stop);

            time.Advance(TimeSpan.FromSeconds(1));
            await time.NextTimerAsync(stop); // made after the mark was written

            Assert.Equal(opened with { Version = 5 }, RunMark.Read(Mark));
            mark.Committed(6);
        }

        Assert.Equal(opened with { Version = 6 }, RunMark.Read(Mark));
    }
}

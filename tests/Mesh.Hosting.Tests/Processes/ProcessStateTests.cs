using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Processes;

public sealed class ProcessStateTests
{
    private const string Rest = "1 2 2 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 5 0 8123 1000 50";

    [Theory]
    [InlineData("12 (mesh-node) S " + Rest, 8123L)]
    [InlineData("12 (odd) name) Z) R " + Rest, 8123L)]
    [InlineData("12 (mesh-node) Z " + Rest, null)]
    [InlineData("12 (mesh-node) X " + Rest, null)]
    [InlineData("", null)]
    public void A_process_that_waits_to_be_collected_has_ended(string stat, long? start) => Assert.Equal(start, ProcessState.Parse(stat));

    [Fact]
    [Trait("Row", "R-S1")]
    public void Who_holds_a_lock_is_told_by_the_kernel_and_who_waits_for_it_does_not_hold_it() => Assert.Equal(
        [15157, 20],
        FileLocks.HoldersOf(
            5343096,
            [
                "1: FLOCK  ADVISORY  WRITE 15157 fe:00:5343096 0 EOF",
                "1: -> FLOCK  ADVISORY  WRITE 15184 fe:00:5343096 0 EOF",
                "2: FLOCK  ADVISORY  READ 797 fe:00:15343096 0 EOF",
                "3: POSIX  ADVISORY  WRITE 30 fe:00:5343096 0 EOF",
                "4: FLOCK  ADVISORY  WRITE 20 00:2f:5343096 0 EOF",
                "5: FLOCK  ADVISORY  WRITE 0 fe:00:5343096 0 EOF",
                "",
            ]));

    [Fact(Timeout = 30_000)]
    [Trait("Row", "R-S1")]
    public async Task A_number_that_is_another_processs_by_now_is_neither_ended_nor_waited_for()
    {
        var directory = TestDirectory.Make("mesh-process-");
        var (lockPath, pidPath) = (Path.Combine(directory, "a.lock"), Path.Combine(directory, "a.pid"));
        using var bystander = Process.Start("sleep", ["1000"]);
        Caretaker.Mind(bystander);
        try
        {
            using (ProcessLock.TryTake(lockPath))
            {
                Assert.Null(RunningProcess.Find(lockPath, pidPath)); // whoever holds it has not said that it is one of ours
                await File.WriteAllTextAsync(pidPath, $"{bystander.Id}\n", TestContext.Current.CancellationToken);
                Assert.Equal(Environment.ProcessId, RunningProcess.Find(lockPath, pidPath)!.Pid);
            }

            Assert.Null(RunningProcess.Find(lockPath, pidPath));
            await new RunningProcess(bystander.Id, lockPath).WaitForExitAsync(TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.False(bystander.HasExited);
        }
        finally
        {
            bystander.Kill();
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task The_end_of_a_process_is_seen_though_nobody_collects_it()
    {
        var stop = TestContext.Current.CancellationToken;
        var directory = TestDirectory.Make("mesh-process-");
        var (lockPath, pidPath) = (Path.Combine(directory, "a.lock"), Path.Combine(directory, "a.pid"));
        // The inner sleep is the shell's child; the shell becomes another sleep, which collects nobody.
        using var parent = Process.Start("sh", ["-c", $"flock -F {lockPath} sleep 1000 & echo $! > {pidPath}; exec sleep 1000"]);
        Caretaker.Mind(parent);
        try
        {
            RunningProcess? found = null;
            while ((found = RunningProcess.Find(lockPath, pidPath)) is null)
            {
                await Task.Yield();
            }

            using (var child = Process.GetProcessById(found.Pid))
            {
                Caretaker.Mind(child);
            }

            var ended = found.WaitForExitAsync(TimeProvider.System, stop);
            Assert.False(ended.IsCompleted);
            found.Kill();

            await ended;
            Assert.True(Directory.Exists($"/proc/{found.Pid}"));
        }
        finally
        {
            parent.Kill(entireProcessTree: true);
            Directory.Delete(directory, recursive: true);
        }
    }
}

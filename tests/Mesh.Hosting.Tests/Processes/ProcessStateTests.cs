using System.Diagnostics;
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

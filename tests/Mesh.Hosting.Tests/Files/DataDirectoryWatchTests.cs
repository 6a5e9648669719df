using Mesh.Hosting.Files;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Files;

public sealed class DataDirectoryWatchTests : IDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-watch-");

    private string PidFile => Path.Combine(_directory, "node.pid");

    private string LockFile => Path.Combine(_directory, "node.lock");

    [Fact]
    public void A_directory_whose_lock_is_removed_has_vanished_also_when_another_is_made()
    {
        using var held = ProcessLock.TryTake(LockFile);
        var watch = new DataDirectoryWatch(LockFile, PidFile);
        Assert.False(watch.HasVanished());

        File.Delete(LockFile);
        Assert.True(watch.HasVanished());

        File.WriteAllText(LockFile, "");
        Assert.True(watch.HasVanished());
    }

    [Fact]
    public void A_directory_that_was_moved_away_has_vanished()
    {
        using var held = ProcessLock.TryTake(LockFile);
        var watch = new DataDirectoryWatch(LockFile, PidFile);
        var elsewhere = _directory + "-moved";
        Directory.Move(_directory, elsewhere);
        try
        {
            Assert.True(watch.HasVanished());
        }
        finally
        {
            Directory.Move(elsewhere, _directory);
        }
    }

    [Fact]
    [Trait("Row", "R-M1")]
    public void A_pid_file_that_was_tidied_away_is_written_again_and_ends_nobody()
    {
        using var held = ProcessLock.TryTake(LockFile);
        var watch = new DataDirectoryWatch(LockFile, PidFile);
        AtomicFile.WritePid(PidFile);
        File.Delete(PidFile);

        Assert.False(watch.HasVanished());
        Assert.Equal(Environment.ProcessId, AtomicFile.ReadPid(PidFile));
    }

    [Fact]
    public void A_directory_that_was_not_there_at_first_has_vanished()
    {
        var watch = new DataDirectoryWatch(LockFile, PidFile);

        Assert.True(watch.HasVanished());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

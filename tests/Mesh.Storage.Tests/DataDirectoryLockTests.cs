using System.Diagnostics;
using Mesh.Testing.Processes;

namespace Mesh.Storage.Tests;

public sealed class DataDirectoryLockTests : IDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-lock-");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    [Trait("Row", "REL-FI31")]
    public void A_second_opener_is_refused_and_told_who_has_the_directory()
    {
        using var held = DataDirectoryLock.Acquire(_directory);
        File.WriteAllText(Path.Combine(_directory, "silo.pid"), "4711\n");

        var refused = Assert.Throws<DataDirectoryRefusedException>(() => DataDirectoryLock.Acquire(_directory));

        Assert.Equal((DataDirectoryRefusal.Locked, 4711), (refused.Reason, refused.Holder));
        Assert.Contains("4711", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_process_is_refused_too()
    {
        using var held = DataDirectoryLock.Acquire(_directory);

        using var other = Process.Start("flock", ["-n", Path.Combine(_directory, "silo.lock"), "true"]);
        other.WaitForExit();

        Assert.Equal(1, other.ExitCode);
    }

    [Fact]
    public void A_lock_that_was_let_go_can_be_taken_again()
    {
        DataDirectoryLock.Acquire(_directory).Dispose();

        DataDirectoryLock.Acquire(_directory).Dispose();
    }

    [Fact]
    public void The_directory_is_made_for_its_owner_alone()
    {
        var made = Path.Combine(_directory, "new", "data");

        DataDirectoryLock.Acquire(made).Dispose();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(made));
    }

    [Fact]
    public void A_path_that_is_no_directory_is_refused()
    {
        var file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");

        var refused = Assert.Throws<DataDirectoryRefusedException>(() => DataDirectoryLock.Acquire(Path.Combine(file, "data")));

        Assert.Equal(DataDirectoryRefusal.NotWritable, refused.Reason);
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_refused()
    {
        // Also for root: nobody makes files in /proc.
        var refused = Assert.Throws<DataDirectoryRefusedException>(() => DataDirectoryLock.Acquire("/proc/mesh"));

        Assert.Equal(DataDirectoryRefusal.NotWritable, refused.Reason);
    }
}

using System.Globalization;
using Mesh.Hosting.Files;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Files;

public sealed class DataDirectoryWatchTests : IDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-watch-");

    private string PidFile => Path.Combine(_directory, "node.pid");

    [Fact]
    public void A_directory_with_the_own_pid_is_there_and_one_without_or_with_anothers_has_vanished()
    {
        Assert.True(DataDirectoryWatch.HasVanished(PidFile));

        File.WriteAllText(PidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        Assert.False(DataDirectoryWatch.HasVanished(PidFile));

        File.WriteAllText(PidFile, (Environment.ProcessId + 1).ToString(CultureInfo.InvariantCulture) + "\n");
        Assert.True(DataDirectoryWatch.HasVanished(PidFile));
    }

    [Fact]
    public void A_pid_file_that_tells_nothing_is_no_evidence()
    {
        File.WriteAllText(PidFile, "");
        Assert.False(DataDirectoryWatch.HasVanished(PidFile));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

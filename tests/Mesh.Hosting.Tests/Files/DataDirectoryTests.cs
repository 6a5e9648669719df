using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Hosting.Tests.Files;

/// <summary>A directory that is not Mesh's is refused, and stays as it is.</summary>
public sealed class DataDirectoryTests : IDisposable
{
    private const UnixFileMode Shared = (UnixFileMode)0b001_111_111_111;
    private const UnixFileMode Private = (UnixFileMode)0b111_000_000;

    private readonly string _root = TestDirectory.Make("mesh-dir-");

    private string Path => System.IO.Path.Combine(_root, "data");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void One_that_is_missing_is_made_for_its_user_alone()
    {
        DataDirectory.Open(Path);

        Assert.Equal(Private, File.GetUnixFileMode(Path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path));
    }

    [Theory]
    [InlineData(0b111_101_101)] // as mkdir makes it
    [InlineData(0b111_000_000)]
    public void An_empty_one_is_taken_as_it_is(int mode)
    {
        Directory.CreateDirectory(Path);
        File.SetUnixFileMode(Path, (UnixFileMode)mode);
        Directory.CreateDirectory(System.IO.Path.Combine(Path, "lost+found"));

        DataDirectory.Open(Path);

        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(Path));
    }

    [Theory]
    [InlineData(0b001_111_111_111)] // as /tmp
    [InlineData(0b111_111_101)]
    [InlineData(0b111_101_111)]
    public void One_that_others_may_write_is_refused_and_stays_so(int mode)
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(System.IO.Path.Combine(Path, "mesh.db"), "");
        File.SetUnixFileMode(Path, (UnixFileMode)mode);

        var refused = Assert.Throws<StartRefusedException>(() => DataDirectory.Open(Path));

        Assert.Contains($"chmod go-w {Path}", refused.Message, StringComparison.Ordinal);
        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(Path));
    }

    [Fact]
    public void One_with_files_of_others_is_refused_and_with_any_file_of_Mesh_it_is_not()
    {
        Directory.CreateDirectory(Path, Private);
        File.WriteAllText(System.IO.Path.Combine(Path, "letter.txt"), "");

        Assert.Contains("holds no Mesh", Assert.Throws<StartRefusedException>(() => DataDirectory.Open(Path)).Message, StringComparison.Ordinal);
        Assert.Equal(["letter.txt"], Directory.EnumerateFileSystemEntries(Path).Select(System.IO.Path.GetFileName));

        File.WriteAllText(System.IO.Path.Combine(Path, "node.log"), "");
        DataDirectory.Open(Path);
    }

    [Theory]
    [InlineData("mesh.db")]
    [InlineData("node.lock")]
    [InlineData("admin.token")]
    public void A_directory_where_a_file_should_be_is_named(string name)
    {
        Directory.CreateDirectory(System.IO.Path.Combine(Path, name), Private);
        File.SetUnixFileMode(Path, Private);

        Assert.Contains($"{name} is a directory", Assert.Throws<StartRefusedException>(() => DataDirectory.Open(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_is_judged_by_what_it_leads_to()
    {
        var real = System.IO.Path.Combine(_root, "real");
        Directory.CreateDirectory(real, Private);
        Directory.CreateSymbolicLink(Path, real);
        DataDirectory.Open(Path);

        File.SetUnixFileMode(real, Shared);
        Assert.Contains(real, Assert.Throws<StartRefusedException>(() => DataDirectory.Open(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_first_start_made_can_be_taken_back_whole()
    {
        var deep = System.IO.Path.Combine(Path, "a", "b");
        var made = FirstFiles.Before(deep);
        Directory.CreateDirectory(deep);
        var itsLock = System.IO.Path.Combine(deep, "silo.lock");
        File.WriteAllText(itsLock, "");
        Assert.True(made.IsFirst(itsLock));
        File.WriteAllText(System.IO.Path.Combine(deep, "ca.key"), "");
        Assert.False(made.IsFirst(itsLock));

        made.TakeBack();

        Assert.False(Directory.Exists(Path));
        Assert.True(Directory.Exists(_root));
    }
}

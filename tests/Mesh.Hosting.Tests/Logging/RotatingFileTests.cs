using Mesh.Hosting.Logging;
using Mesh.Testing.Processes;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Mesh.Hosting.Tests.Logging;

/// <summary>A log file that cannot be rotated keeps its lines, and is rotated when it can be again.</summary>
public sealed class RotatingFileTests : IDisposable
{
    private static readonly byte[] Full = new byte[10 * 1024 * 1024];
    private static readonly byte[] Mebibyte = new byte[1024 * 1024];

    private readonly string _directory = TestDirectory.Make("mesh-log-");

    private string Log => Path.Combine(_directory, "node.log");

    private string Old => Log + ".1";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_full_file_becomes_the_old_one_and_a_new_one_begins()
    {
        using var file = new RotatingFile(Log, _ => { });
        file.Write(Full);
        file.Write("next"u8);

        Assert.Equal((Full.Length, "next"), (new FileInfo(Old).Length, File.ReadAllText(Log)));
    }

    [Fact]
    public void What_others_write_to_the_same_output_overwrites_nothing()
    {
        SafeFileHandle? output = null;
        using var file = new RotatingFile(Log, opened => output = opened);
        file.Write("first\n"u8);
        Assert.Null(output);
        file.BecomeOutput();

        // As the runtime does with its last words: at an offset of its own.
        RandomAccess.Write(output!, "Out of memory.\n"u8, 0);
        file.Write("last\n"u8);

        Assert.Equal("first\nOut of memory.\nlast\n", File.ReadAllText(Log));
    }

    [Fact]
    public void Without_a_new_file_lines_go_on_into_the_full_one_until_there_is_one()
    {
        Exception? failure = null;
        using var file = new RotatingFile(Log, _ => { if (failure is not null) { throw failure; } });
        file.BecomeOutput();
        file.Write(Full);
        failure = new IOException("no descriptor is left");
        file.Write("one"u8);
        failure = new UnauthorizedAccessException();
        file.Write(Mebibyte);
        Assert.Equal(Full.Length + 3 + Mebibyte.Length, new FileInfo(Old).Length);

        failure = null;
        file.Write(Mebibyte);
        file.Write("two"u8);

        Assert.Equal(Full.Length + 3 + Mebibyte.Length, new FileInfo(Old).Length);
        Assert.Equal(Mebibyte.Length + 3, new FileInfo(Log).Length);
    }

    [Fact]
    public void A_file_that_cannot_be_moved_is_written_on_until_it_can()
    {
        using var file = new RotatingFile(Log, _ => { });
        Directory.CreateDirectory(Path.Combine(Old, "in-the-way"));
        file.Write(Full);
        file.Write(Mebibyte);
        Assert.Equal(Full.Length + Mebibyte.Length, new FileInfo(Log).Length);

        Directory.Delete(Old, recursive: true);
        file.Write("next"u8);

        Assert.Equal("next", File.ReadAllText(Log));
    }

    [Fact]
    public void A_file_that_somebody_removed_is_begun_anew()
    {
        using var file = new RotatingFile(Log, _ => { });
        file.Write(Full);
        File.Delete(Log);
        file.Write("next"u8);

        Assert.Equal("next", File.ReadAllText(Log));
    }
}

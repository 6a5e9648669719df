using System.Runtime.InteropServices;
using Xunit;

namespace Mesh.Testing.Processes;

/// <summary>Takes away from another process, for a while, what it could still open; what is open stays.</summary>
public sealed partial class OpenFiles : IDisposable
{
    private const int NoFile = 7; // RLIMIT_NOFILE

    // The standard streams: a process has them from its start to its end, so no number under the limit ever becomes free.
    // Not less, as poll(2) refuses to look at more descriptors than the limit.
    private const int StandardStreams = 3;

    private readonly int _pid;
    private readonly Limits _before;

    private OpenFiles(int pid, Limits before)
    {
        _pid = pid;
        _before = before;
    }

    public static OpenFiles None(int pid)
    {
        Assert.All(Enumerable.Range(0, StandardStreams), stream => Assert.NotNull(new FileInfo($"/proc/{pid}/fd/{stream}").LinkTarget));
        Assert.Equal(0, ReadLimit(pid, NoFile, 0, out var before));
        var none = new Limits(StandardStreams, before.Most);
        Assert.Equal(0, SetLimit(pid, NoFile, ref none, 0));
        return new OpenFiles(pid, before);
    }

    public void Dispose()
    {
        var before = _before;
        Assert.Equal(0, SetLimit(_pid, NoFile, ref before, 0));
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ReadLimit(int process, int resource, nint none, out Limits now);

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetLimit(int process, int resource, ref Limits wanted, nint none);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Limits(nuint Now, nuint Most);
}

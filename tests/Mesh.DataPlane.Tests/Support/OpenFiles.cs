using System.Runtime.InteropServices;
using Xunit;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>Takes away from this process, for a while, what it could still open. For tests that run alone.</summary>
internal sealed class OpenFiles : IDisposable
{
    private const int RlimitNoFile = 7;
    private const int AlreadyOpen = 3; // the standard streams; poll(2) refuses to look at more descriptors than the limit

    private readonly Limits _before;

    private OpenFiles(Limits before) => _before = before;

    public static OpenFiles None()
    {
        Assert.Equal(0, prlimit(0, RlimitNoFile, 0, out var before));
        var none = new Limits(AlreadyOpen, before.Most);
        Assert.Equal(0, prlimit(0, RlimitNoFile, ref none, 0));
        return new OpenFiles(before);
    }

    public void Dispose()
    {
        var before = _before;
        Assert.Equal(0, prlimit(0, RlimitNoFile, ref before, 0));
    }

#pragma warning disable SYSLIB1054, CA5392, IDE1006 // Plain calls of libc with blittable arguments, by its own name.
    [DllImport("libc", SetLastError = true)]
    private static extern int prlimit(int process, int resource, nint none, out Limits now);

    [DllImport("libc", SetLastError = true)]
    private static extern int prlimit(int process, int resource, ref Limits wanted, nint none);
#pragma warning restore SYSLIB1054, CA5392, IDE1006

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Limits(nuint Now, nuint Most);
}

/// <summary>Tests that must run alone in their process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

using System.Runtime.InteropServices;

namespace Mesh.Benchmarks.Measuring;

/// <summary>Pauses shorter than .NET's timers know: a poll that never paused would take the processor from what it measures.</summary>
internal static partial class Pause
{
    public static void Microseconds(int count)
    {
        var time = new TimeSpec { Nanoseconds = count * 1000 };
        // An interrupted pause is a shorter one; the caller measures with a clock.
        NanoSleep(in time, IntPtr.Zero);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int NanoSleep(in TimeSpec time, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}

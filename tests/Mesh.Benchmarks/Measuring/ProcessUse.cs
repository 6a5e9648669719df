using System.Globalization;

namespace Mesh.Benchmarks.Measuring;

/// <summary>What one process has used, as /proc tells it (proc_pid_stat(5), proc_pid_status(5)).</summary>
internal static class ProcessUse
{
    // The kernel shows times in USER_HZ, 100 on every Linux architecture that .NET runs on.
    private const double MicrosecondsPerTick = 10_000;
    private const int UserTime = 11;
    private const int SystemTime = 12;

    /// <summary>Processor time in user and kernel mode, all threads, in microseconds.</summary>
    public static double CpuMicroseconds(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        // The program's name may hold blanks and brackets: fields are counted from after the last ')'.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return MicrosecondsPerTick * (Number(fields[UserTime]) + Number(fields[SystemTime]));
    }

    public static double ResidentMebibytes(int pid) => Mebibytes(pid, "VmRSS:");

    /// <summary>The most that was ever resident.</summary>
    public static double PeakMebibytes(int pid) => Mebibytes(pid, "VmHWM:");

    private static double Mebibytes(int pid, string field) =>
        Number(File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace Mesh.Hosting.Processes;

/// <summary>What the shell or the service manager lets this process use (getrlimit(2)).</summary>
public static class ProcessLimits
{
    /// <summary>Below it a process of Mesh may start and fail at its first connections, or not even start.</summary>
    public const long LeastFiles = 512;

    /// <summary>.NET reserves more than it uses: with 4 GiB a silo fails somewhere in its start, with 6 GiB it runs.</summary>
    public const long LeastAddressSpace = 6L * 1024 * 1024 * 1024;

    private const string OwnLimits = "/proc/self/limits";
    private const string OpenFiles = "Max open files";

    /// <summary>How many files and sockets may be open at a time.</summary>
    public static long Files() => Find([.. File.ReadLines(OwnLimits)], OpenFiles) ?? long.MaxValue;

    /// <summary>Null when there is enough of everything.</summary>
    public static string? Refusal() => Refusal([.. File.ReadLines(OwnLimits)]);

    /// <param name="limits">As in proc_pid_limits(5).</param>
    public static string? Refusal(IReadOnlyList<string> limits)
    {
        // The soft limits: .NET has raised that of files to the hard one.
        if (Find(limits, OpenFiles) is { } files && files < LeastFiles)
        {
            return $"only {files} files and sockets may be open (ulimit -n): Mesh needs {LeastFiles}, and one more for each connection";
        }

        return Find(limits, "Max address space") is { } bytes && bytes < LeastAddressSpace
            ? $"only {bytes >> 20} MiB of address space may be used (ulimit -v): Mesh needs {LeastAddressSpace >> 20}; to limit memory, use a control group"
            : null;
    }

    private static long? Find(IReadOnlyList<string> limits, string name) =>
        limits.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..]
        && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : null;
}

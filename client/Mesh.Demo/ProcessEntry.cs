using System.Globalization;

namespace Mesh.Demo;

/// <summary>One life of a process id: a later process with the same number is another one.</summary>
/// <param name="Began">When it began, in clock ticks since boot: field 22 of /proc/PID/stat, see proc_pid_stat(5).</param>
internal sealed record ProcessEntry(int Pid, string Began)
{
    private const int State = 0; // counted from the end of the name, which may hold spaces
    private const int StartTime = 19;

    /// <summary>Whether it still runs; a zombie only waits for its parent.</summary>
    public bool IsAlive => Find(Pid) == this;

    /// <summary>Null when there is no such process.</summary>
    public static ProcessEntry? Find(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[State] is "Z" or "X" ? null : new ProcessEntry(pid, fields[StartTime]);
        }
        catch (IOException)
        {
            return null; // also when it ends while it is read
        }
    }

    /// <summary>Every process that has this text in its command line.</summary>
    public static IEnumerable<ProcessEntry> Naming(string text)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid)
                && CommandLine(folder).Contains(text, StringComparison.Ordinal)
                && Find(pid) is { } process)
            {
                yield return process;
            }
        }
    }

    private static string CommandLine(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

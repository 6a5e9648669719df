using System.Globalization;

namespace Mesh.Hosting.Processes;

/// <summary>Whether a process runs, as the kernel tells it (proc_pid_stat(5)).</summary>
public static class ProcessState
{
    private const int StateField = 0; // counted from behind the name, which may hold anything
    private const int StartField = 19;

    /// <summary>
    /// When it started, so that another process of the same number is not taken for it; null when it has ended. One that
    /// its parent has not collected yet (a zombie) has ended: kill(2) still finds it, for as long as the parent takes.
    /// </summary>
    public static long? StartOf(int pid)
    {
        try
        {
            return Parse(File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat")));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static long? Parse(string stat)
    {
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > StartField && fields[StateField] is not ("Z" or "X" or "x")
            && long.TryParse(fields[StartField], NumberStyles.None, CultureInfo.InvariantCulture, out var start)
                ? start
                : null;
    }
}

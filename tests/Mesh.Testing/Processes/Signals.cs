using System.Runtime.InteropServices;

namespace Mesh.Testing.Processes;

/// <summary>Signals to one process, by its id.</summary>
public static partial class Signals
{
    public static void Kill(int pid) => Send(pid, 9);

    public static void Terminate(int pid) => Send(pid, 15);

    public static void Interrupt(int pid) => Send(pid, 2);

    public static void Stop(int pid) => Send(pid, 19);

    public static void Continue(int pid) => Send(pid, 18);

    /// <summary>Also when its parent has not collected it yet, as init may take seconds for an orphan.</summary>
    public static bool HasEnded(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..] is ['Z' or 'X', ..];
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void Send(int pid, int signal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pid, 2);
        SendSignal(pid, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int pid, int signal);
}

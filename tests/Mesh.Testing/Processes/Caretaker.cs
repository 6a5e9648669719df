using System.Diagnostics;
using System.Globalization;

namespace Mesh.Testing.Processes;

/// <summary>
/// Ends what the tests of this process started, and removes what they made, when this process has ended in whatever way:
/// after a failed test, a test that was given up by its time-out, or SIGKILL. It is a shell beside this process whose
/// input ends with it; what a test has cleared away by itself costs it nothing.
/// </summary>
public static class Caretaker
{
    // A process is named with the time of its start, as pids are used again; a directory's processes are those that name
    // it, such as a mesh-node whose mesh-silo was started here. One that starts others goes first, so the order is kept.
    private const string Script =
        """
        exec >/dev/null 2>&1
        trap '' INT TERM HUP
        processes='' directories=''
        while read -r kind what; do
          case $kind in
            process) processes="$processes
        $what" ;;
            directory) directories="${directories:+$directories
        }$what" ;;
          esac
        done
        IFS='
        '
        began() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
        for one in $processes; do
          [ -d "/proc/${one%:*}" ] && [ "$(began "${one%:*}")" = "${one#*:}" ] && kill -9 "${one%:*}"
        done
        [ -n "$directories" ] || exit
        for try in 1 2 3 4 5 6 7 8 9 10; do
          found=$(echo "$directories" | grep -alsF -f - /proc/[0-9]*/cmdline | cut -d / -f 3)
          [ -n "$found" ] || break
          kill -9 $found
          sleep 0.1
        done
        for directory in $directories; do
          [ -d "$directory" ] || continue
          chmod -R u+rwX "$directory"
          rm -rf "$directory"
        done
        """;

    private static readonly Lock Gate = new();
    private static StreamWriter? Words;

    /// <summary>A process that must not outlive this one.</summary>
    public static void Mind(Process process)
    {
        if (StartOf(process.Id) is { } began)
        {
            Say(string.Create(CultureInfo.InvariantCulture, $"process {process.Id}:{began}"));
        }
    }

    /// <summary>A directory that must not outlive this process, nor any process that names it.</summary>
    public static void Mind(string directory) => Say($"directory {directory}");

    private static void Say(string what)
    {
        lock (Gate)
        {
            Words ??= Start();
            Words.WriteLine(what);
        }
    }

    private static StreamWriter Start()
    {
        // A session of its own: what is sent to the terminal's group is not for it.
        var shell = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Script]) { RedirectStandardInput = true })!;
        shell.StandardInput.AutoFlush = true;
        return shell.StandardInput;
    }

    /// <summary>Null when it has ended already.</summary>
    private static string? StartOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return null;
        }
    }
}

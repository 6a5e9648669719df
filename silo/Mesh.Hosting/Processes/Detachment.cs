using Microsoft.Win32.SafeHandles;

namespace Mesh.Hosting.Processes;

/// <summary>How a process leaves the one that started it.</summary>
public static class Detachment
{
    /// <summary>
    /// Leads its own session from here on: the terminal's Ctrl-C and hang-up reach the parent only. Fails harmlessly for
    /// a process that leads its group already, as one started by a shell or by systemd does.
    /// </summary>
    public static void LeaveSession() => NativeMethods.SetSid();

    /// <summary>
    /// Standard output and error go to the file, so that a crash of the runtime stands there too and no pipe of the
    /// parent stays open; standard input is empty.
    /// </summary>
    public static void SendOutputTo(SafeFileHandle file)
    {
        using (var nothing = File.OpenHandle("/dev/null"))
        {
            NativeMethods.Dup2((int)nothing.DangerousGetHandle(), 0);
        }

        NativeMethods.Dup2((int)file.DangerousGetHandle(), 1);
        NativeMethods.Dup2((int)file.DangerousGetHandle(), 2);
    }

    /// <summary>Each write goes to the end of the file, whoever writes and wherever it thinks the end is (O_APPEND).</summary>
    public static void AppendAlways(SafeFileHandle file) =>
        NativeMethods.FileControl((int)file.DangerousGetHandle(), NativeMethods.SetStatusFlags, NativeMethods.Append);
}

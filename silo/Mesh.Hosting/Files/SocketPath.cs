using System.Text;

namespace Mesh.Hosting.Files;

/// <summary>
/// Where a unix socket of the data directory really is: the kernel takes 107 bytes (sun_path, unix(7)), so a longer path
/// is a link from the data directory to a short private one.
/// </summary>
public static class SocketPath
{
    private const int LongestPath = 100;

    /// <summary>For the process that listens: the path to bind, with whatever a dead process left there removed.</summary>
    public static string ForListener(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) <= LongestPath)
        {
            File.Delete(path);
            return path;
        }

        var kept = ForClient(path);
        if (kept != path && Directory.Exists(Path.GetDirectoryName(kept)))
        {
            File.Delete(kept);
            return kept;
        }

        var target = Path.Combine(PrivateDirectory(), Path.GetFileName(path));
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
        return target;
    }

    /// <summary>For the process that connects.</summary>
    public static string ForClient(string path) => new FileInfo(path).LinkTarget ?? path;

    /// <summary>A new directory that only this user can enter.</summary>
    private static string PrivateDirectory()
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        if (!string.IsNullOrEmpty(runtime) && Directory.Exists(runtime) && Encoding.UTF8.GetByteCount(runtime) < LongestPath - 30)
        {
            var path = Path.Combine(runtime, $"mesh-{Environment.ProcessId}-{Environment.TickCount64:x}");
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return path;
        }

        return Directory.CreateTempSubdirectory("mesh-").FullName;
    }
}

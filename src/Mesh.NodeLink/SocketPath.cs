using System.Text;

namespace Mesh.NodeLink;

/// <summary>
/// Where a unix socket of the data directory really is: <c>sun_path</c> holds 108 bytes, so a longer path goes to a short
/// directory, and a symbolic link at the asked place tells where.
/// </summary>
public static class SocketPath
{
    private const int MaxBytes = 100;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The path to bind; what an earlier process left there is removed. The caller holds the directory's lock.</summary>
    public static string ForListening(string path)
    {
        var full = Path.GetFullPath(path);
        File.Delete(full);
        if (Encoding.UTF8.GetByteCount(full) <= MaxBytes)
        {
            return full;
        }

        var target = Short(full);
        File.Delete(target);
        File.CreateSymbolicLink(full, target);
        return target;
    }

    /// <summary>After the listener closed, which removes its socket: a short directory that was made for it goes with the last one.</summary>
    public static void Left(string path)
    {
        var full = Path.GetFullPath(path);
        if (new FileInfo(full).LinkTarget is not { } target)
        {
            return;
        }

        try
        {
            File.Delete(target);
            File.Delete(full);
            Directory.Delete(Path.GetDirectoryName(target)!); // fails while the other process has its socket there
        }
        catch (IOException)
        {
            // The next start finds it and uses it again.
        }
    }

    /// <summary>The path to connect to.</summary>
    public static string ForConnecting(string path)
    {
        var full = Path.GetFullPath(path);
        return Encoding.UTF8.GetByteCount(full) <= MaxBytes ? full : new FileInfo(full).LinkTarget ?? full;
    }

    private static string Short(string full)
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var root = Directory.Exists(runtime) ? runtime : "/tmp";
        var hash = System.IO.Hashing.XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Path.GetDirectoryName(full)!));
        var directory = Path.Combine(root, $"mesh-{Environment.UserName}-{hash:x16}");
        Directory.CreateDirectory(directory, Private);
        if (File.GetUnixFileMode(directory) != Private)
        {
            // Somebody else's directory: the socket would be theirs to replace.
            throw new IOException($"{directory} is not private to this user.");
        }

        return Path.Combine(directory, Path.GetFileName(full));
    }
}

using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>The data directory of one machine, and the places of everything in it.</summary>
public sealed class DataDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private const string Probe = ".writable-";

    /// <summary>What only Mesh makes: a directory with one of these is a data directory.</summary>
    private static readonly string[] Files =
    [
        "silo.lock", "node.lock", "silo.pid", "node.pid", "node.log", "node.journal", "addresses.json", "admin.kubeconfig", "admin.token",
        "ca.crt", "ca.key", "link.sock", "node.sock", "mesh.db", "mesh.db-wal", "mesh.db-shm", "mesh.db.mark", "gateway.id",
    ];

    private DataDirectory(string path)
    {
        FullPath = path;
    }

    public string FullPath { get; }

    public string SiloLock => At("silo.lock");

    public string NodeLock => At("node.lock");

    public string SiloPid => At("silo.pid");

    public string NodePid => At("node.pid");

    public string NodeLog => At("node.log");

    public string Journal => At("node.journal");

    public string GatewayId => At("gateway.id");

    public string Addresses => At("addresses.json");

    public string Kubeconfig => At("admin.kubeconfig");

    public string LinkSocket => At("link.sock");

    public string NodeSocket => At("node.sock");

    public string At(string name) => Path.Combine(FullPath, name);

    /// <summary>Names the places without touching anything.</summary>
    public static DataDirectory Of(string path) => new(path);

    /// <summary>For a process that another made it for.</summary>
    public static DataDirectory OpenExisting(string path) =>
        Directory.Exists(path) ? Open(path) : throw new StartRefusedException($"--data-dir {path} does not exist: mesh-silo makes it");

    /// <summary>
    /// Makes it if need be, 0700, and makes sure that it can be written. One that is there already stays as it is, and is
    /// refused when it is not Mesh's: what stands in it is somebody's.
    /// </summary>
    public static DataDirectory Open(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                RefuseForeign(path);
            }
            else
            {
                Directory.CreateDirectory(path, OwnerOnly);
            }

            var probe = Path.Combine(path, Probe + Environment.ProcessId);
            File.Delete(probe); // of a start that was killed, when its number is used again
            new FileStream(probe, FileMode.CreateNew).Dispose(); // never through a link that somebody laid
            File.Delete(probe);
            return new DataDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"--data-dir {path} cannot be written: {failure.Message}", failure);
        }
    }

    private static void RefuseForeign(string path)
    {
        var names = Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)!).ToHashSet(StringComparer.Ordinal);
        names.RemoveWhere(name => name == "lost+found" || name.StartsWith(Probe, StringComparison.Ordinal)); // of a new file system; of a start that was killed
        if (names.Count > 0 && !names.Overlaps(Files))
        {
            throw new StartRefusedException($"--data-dir {path} is not empty, and holds no Mesh: choose another, or make a new one");
        }

        // The mode of a link says nothing.
        var real = Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var mode = File.GetUnixFileMode(real);
        if ((mode & WritableByOthers) != 0)
        {
            throw new StartRefusedException(
                $"--data-dir {path} may be written by others (mode {Convert.ToString((int)mode, 8)}): whoever can change what stands in it is Mesh's administrator. "
                + $"Choose another, or: chmod go-w {real}");
        }

        if (FileStatus.Owner(real) is { } owner && owner != 0 && owner != FileStatus.Mine)
        {
            throw new StartRefusedException(
                $"--data-dir {path} belongs to another user (uid {owner}), who can change what stands in it: whoever can is Mesh's administrator. Choose another, or run mesh-silo as that user");
        }

        if (Array.Find(Files, file => Directory.Exists(Path.Combine(path, file))) is { } directory)
        {
            throw new StartRefusedException($"--data-dir {path}: {directory} is a directory, and should be a file of Mesh");
        }
    }
}

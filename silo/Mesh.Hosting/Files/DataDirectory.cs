using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>The data directory of one machine, and the places of everything in it.</summary>
public sealed class DataDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

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

    /// <summary>Makes it if need be, 0700, and makes sure that it can be written.</summary>
    public static DataDirectory Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            File.SetUnixFileMode(path, OwnerOnly);
            var probe = Path.Combine(path, ".writable");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return new DataDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException($"--data-dir {path} cannot be written: {failure.Message}", failure);
        }
    }
}

using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Silo.Nodes;

/// <summary>The program <c>mesh-node</c> that was built with this silo.</summary>
internal sealed class NodeExecutable
{
    private readonly string _path;

    private NodeExecutable(string path)
    {
        _path = path;
        Build = BuildIdentity.Of(Path.GetDirectoryName(path)!, "mesh-node");
    }

    /// <summary>What a node of this build says of itself over the link.</summary>
    public string Build { get; }

    public static NodeExecutable Find()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "node", "mesh-node");
        return File.Exists(path) ? new NodeExecutable(path) : throw new StartRefusedException($"{path} is missing: mesh-silo and mesh-node are installed together");
    }

    public Process Start(DataDirectory data)
    {
        var start = new ProcessStartInfo(_path)
        {
            ArgumentList = { "--data-dir", data.FullPath },
            UseShellExecute = false,
            RedirectStandardError = true, // until it has started, and writes a log of its own
            // Not the silo's: that directory may be meant to be unmounted or removed.
            WorkingDirectory = "/",
        };
        // The node gets its options over the link; those of the environment are the silo's.
        foreach (var variable in start.Environment.Keys.Where(name => name.StartsWith("MESH_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable);
        }

        // The silo may have been started by a dotnet that stands in no usual place.
        start.Environment.TryAdd("DOTNET_ROOT", Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../..")));
        return Process.Start(start) ?? throw new StartRefusedException($"{_path} could not be started");
    }
}

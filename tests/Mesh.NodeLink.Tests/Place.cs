using Mesh.Testing.Processes;

namespace Mesh.NodeLink.Tests;

/// <summary>A data directory of one test.</summary>
internal sealed class Place : IDisposable
{
    public Place(string name = "")
    {
        Directory = TestDirectory.Make("mesh-link-");
        if (name.Length > 0)
        {
            Directory = System.IO.Directory.CreateDirectory(Path.Combine(Directory, name)).FullName;
        }
    }

    public string Directory { get; }

    public string Socket => Path.Combine(Directory, "link.sock");

    public string Journal => Path.Combine(Directory, "node.journal");

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}

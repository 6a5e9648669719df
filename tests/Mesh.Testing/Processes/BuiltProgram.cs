namespace Mesh.Testing.Processes;

/// <summary>Finds the programs that were built beside the tests.</summary>
public static class BuiltProgram
{
    /// <summary>Such as <c>artifacts/bin/Mesh.Silo/debug/mesh-silo</c>.</summary>
    public static string Path(string project, string program)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var path = System.IO.Path.Combine(here.Parent!.Parent!.FullName, project, here.Name, program);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} is not built: {path}");
    }

    public static string Silo => Path("Mesh.Silo", "mesh-silo");

    /// <summary>Where the solution stands.</summary>
    public static string Repository
    {
        get
        {
            for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            {
                if (File.Exists(System.IO.Path.Combine(at.FullName, "Mesh.sln")))
                {
                    return at.FullName;
                }
            }

            throw new DirectoryNotFoundException("Mesh.sln is in no directory above the tests");
        }
    }
}

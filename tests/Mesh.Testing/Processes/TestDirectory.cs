namespace Mesh.Testing.Processes;

/// <summary>A new directory for one test, which is gone when the tests have ended, whatever became of them.</summary>
public static class TestDirectory
{
    public static string Make(string prefix)
    {
        var path = Directory.CreateTempSubdirectory(prefix).FullName;
        Caretaker.Mind(path);
        return path;
    }
}

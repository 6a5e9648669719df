namespace Mesh.Hosting.Processes;

/// <summary>What the programs run on.</summary>
public static class Platform
{
    /// <summary>The line to end with, or null where the program can run.</summary>
    public static string? Refuse(string program, bool isLinux) => isLinux ? null : $"{program}: Mesh runs on Linux only";
}

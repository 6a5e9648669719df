using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Files;

/// <summary>What a process of Mesh makes is its user's alone, whoever makes it: SQLite, a lock, a socket.</summary>
public static class PrivateFiles
{
    private const uint GroupAndOthers = 0b111_111;

    /// <summary>For this process from now on, and for those it starts (umask 077).</summary>
    public static void Only() => _ = NativeMethods.UMask(GroupAndOthers); // it always succeeds
}

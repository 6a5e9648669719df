namespace Mesh.Core.Names;

/// <summary>How people are shown a build: its version, and enough of its commit to find it again.</summary>
public static class BuildText
{
    private const int CommitLength = 8;

    /// <param name="build">A semantic version whose build metadata begins with the commit, such as <c>0.1.0+4fe39b1c…</c>.</param>
    public static string Short(string build) =>
        build.IndexOf('+', StringComparison.Ordinal) is >= 0 and var plus && build.Length > plus + 1 + CommitLength
            ? build[..(plus + 1 + CommitLength)]
            : build;
}

namespace Mesh.Core.Pods;

/// <summary>Reads an admitted Pod document.</summary>
public static class PodParser
{
    /// <exception cref="FormatException">The document is not an admitted Pod.</exception>
    public static Pod Parse(ReadOnlyMemory<byte> document, long createdVersion) => throw new NotImplementedException();
}

namespace Mesh.Core.Services;

/// <summary>Reads a stored (admitted, defaulted) Service document.</summary>
public static class ServiceParser
{
    /// <exception cref="FormatException">The document is not an admitted Service.</exception>
    public static Service Parse(ReadOnlyMemory<byte> document, long createdVersion) => throw new NotImplementedException();
}

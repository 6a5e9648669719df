namespace Mesh.Core.Ingresses;

/// <summary>Reads an admitted Ingress document.</summary>
public static class IngressParser
{
    /// <exception cref="FormatException">The document is not an admitted Ingress.</exception>
    public static Ingress Parse(ReadOnlyMemory<byte> document, long createdVersion) => throw new NotImplementedException();
}

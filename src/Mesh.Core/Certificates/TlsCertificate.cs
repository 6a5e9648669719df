using Mesh.Core.Names;

namespace Mesh.Core.Certificates;

/// <summary>A certificate chain, leaf first, and its private key: what a TLS listener shows. Each read of a Secret is another object.</summary>
/// <param name="pem">Certificates and key, and nothing else.</param>
/// <param name="secret">Where a node was told it; null for its default one.</param>
public sealed class TlsCertificate(ReadOnlyMemory<byte> pem, NamespacedName? secret = null)
{
    public NamespacedName? Secret => secret;

    public ReadOnlyMemory<byte> Pem { get; } = pem;

    /// <summary>Whoever writes one into a log writes no key.</summary>
    public override string ToString() => nameof(TlsCertificate);
}

using System.Collections.Immutable;
using Mesh.Core.Certificates;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>What one machine shows its clients in TLS handshakes, at one moment: part of its <see cref="RoutingSnapshot"/>.</summary>
public sealed record TlsRouting
{
    public static TlsRouting Empty { get; } = new();

    public SniTable Names { get; init; } = SniTable.Empty;

    /// <summary>By their Secrets; those that cannot be shown are not here.</summary>
    public ImmutableDictionary<NamespacedName, TlsCertificate> Certificates { get; init; } = ImmutableDictionary<NamespacedName, TlsCertificate>.Empty;

    /// <summary>Of the cluster's own authority; null until a control plane has told it.</summary>
    public TlsCertificate? Default { get; init; }

    /// <summary>The certificate that was asked for the name and can be shown, else the default one; null when there is none.</summary>
    /// <param name="serverName">As the client sent it; empty when it sent none.</param>
    public TlsCertificate? Find(ReadOnlySpan<char> serverName) =>
        Names.Find(serverName)?.Secret is { } secret && Certificates.TryGetValue(secret, out var certificate) ? certificate : Default;

    internal bool HasSameParts(TlsRouting other) =>
        ReferenceEquals(Names, other.Names) && ReferenceEquals(Certificates, other.Certificates) && ReferenceEquals(Default, other.Default);
}

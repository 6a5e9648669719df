using System.Collections.Immutable;
using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>What the rules need of a Kubernetes Ingress; parsed from its document by <see cref="IngressParser"/>.</summary>
public sealed record Ingress
{
    public required NamespacedName Name { get; init; }

    public required string Uid { get; init; }

    public required long ResourceVersion { get; init; }

    /// <summary>Smaller is older; the older Ingress wins a host and path that two claim.</summary>
    public long CreatedVersion { get; init; }

    public string? ClassName { get; init; }

    /// <summary>Its annotations by which other controllers restrict who may come in, by name (<see cref="ForeignAnnotations"/>).</summary>
    public ImmutableArray<string> Restrictions { get; init; } = [];

    /// <summary>Its writer wants it routed without them.</summary>
    public bool RoutesUnprotected { get; init; }

    public IngressBackend? DefaultBackend { get; init; }

    public ImmutableArray<IngressRule> Rules { get; init; } = [];

    public ImmutableArray<IngressTls> Tls { get; init; } = [];

    /// <summary>Its writer wants plain HTTP sent to HTTPS.</summary>
    public bool RedirectsToHttps { get; init; }
}

/// <param name="Hosts">Empty: the hosts of the Ingress' rules (<see cref="TlsNames"/>).</param>
/// <param name="Secret">Null: the default certificate. Of the Ingress' own namespace, as no other can be named.</param>
public sealed record IngressTls(ImmutableArray<string> Hosts, NamespacedName? Secret);

/// <summary><paramref name="Host"/>: empty for every host, <c>*.example.com</c> for one label in front, else exact.</summary>
public sealed record IngressRule(string Host, ImmutableArray<IngressPath> Paths);

public sealed record IngressPath(string Path, PathType Type, IngressBackend? Backend);

public enum PathType
{
    Exact,
    Prefix,
    ImplementationSpecific,
}

/// <summary>A Service and one of its ports, by number or by name (exactly one of the two).</summary>
public sealed record IngressBackend(NamespacedName Service, int PortNumber, string? PortName);

using System.Diagnostics.CodeAnalysis;
using System.Net;
using Mesh.Client.Names;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// A host name that may be a Service's: <c>name</c>, <c>name.namespace</c>, <c>name.namespace.svc</c> or that with the
/// cluster's domain (Kubernetes DNS specification 1.1.0, 2.3). Whether there is such a Service, the node says.
/// </summary>
/// <param name="Domain">What followed <c>svc</c>; null when nothing did.</param>
/// <param name="Form">How it was written; of two labels it may be a host's of the world (<c>example.de</c>) as well: only the node can tell.</param>
internal sealed record MeshServiceName(string Namespace, string Name, string? Domain, NameForm Form = NameForm.Svc)
{
    /// <summary>Of a name of two labels these are never a namespace (RFC 920): nearly every request to the world ends in one.</summary>
    private static readonly HashSet<string> TopLevel = new(StringComparer.Ordinal) { "arpa", "com", "edu", "gov", "int", "mil", "net", "org", "local" };

    /// <summary>False for what DNS alone knows: addresses, <c>localhost</c>, other domains, names that end in a dot.</summary>
    /// <param name="ownNamespace">Of a name without one.</param>
    public static bool TryParse(string? host, string ownNamespace, [NotNullWhen(true)] out MeshServiceName? result)
    {
        result = null;
        if (string.IsNullOrEmpty(host) || IPAddress.TryParse(host.Trim('[', ']'), out _))
        {
            return false;
        }

        var labels = host.ToLowerInvariant().Split('.');
        if (!Array.TrueForAll(labels, DnsNames.IsLabel) || labels[^1] == "localhost")
        {
            return false;
        }

        result = labels switch
        {
            [var name] => new MeshServiceName(ownNamespace, name, null, NameForm.OneLabel),
            [var name, var ns] when !TopLevel.Contains(ns) => new MeshServiceName(ns, name, null, NameForm.TwoLabels),
            [var name, var ns, "svc"] => new MeshServiceName(ns, name, null),
            [var name, var ns, "svc", .. var domain] => new MeshServiceName(ns, name, string.Join('.', domain)),
            _ => null,
        };
        return result is not null;
    }

    /// <summary>The Service, by whatever name it was asked for.</summary>
    public MeshServiceName Service => this with { Domain = null, Form = NameForm.Svc };

    /// <summary>No host's name ends in <c>svc</c>: who writes that means a Service.</summary>
    public bool IsServiceOnly => Form == NameForm.Svc && Domain is null;

    /// <summary>Whether the Service of that full name is the one that was asked for: a name of another cluster's domain is DNS's.</summary>
    public bool IsOf(string host) => Domain is null || host == $"{Name}.{Namespace}.svc.{Domain}";

    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>What followed the name of a Service.</summary>
internal enum NameForm
{
    /// <summary>Its namespace and <c>svc</c>, with a domain or without.</summary>
    Svc,

    /// <summary>Nothing.</summary>
    OneLabel,

    /// <summary>Its namespace alone.</summary>
    TwoLabels,
}

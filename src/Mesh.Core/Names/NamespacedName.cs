using System.Diagnostics.CodeAnalysis;

namespace Mesh.Core.Names;

/// <summary>The namespace and name of one object, both valid: <c>namespace/name</c>.</summary>
public sealed record NamespacedName : IComparable<NamespacedName>
{
    private readonly int _hash;

    private NamespacedName(string ns, string name)
    {
        Namespace = ns;
        Name = name;
        _hash = HashCode.Combine(ns, name);
    }

    public string Namespace { get; }

    public string Name { get; }

    /// <summary>Accepts a DNS label as namespace and a DNS subdomain as name (the wider of the two rules that kinds use).</summary>
    public static bool TryCreate(string? ns, string? name, [NotNullWhen(true)] out NamespacedName? result)
    {
        result = DnsLabel.IsValid(ns) && DnsSubdomain.IsValid(name) ? new NamespacedName(ns, name) : null;
        return result is not null;
    }

    /// <summary>Reads <c>namespace/name</c>, the form of <see cref="ToString"/> and of grain keys.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out NamespacedName? result)
    {
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        result = null;
        return slash > 0 && TryCreate(text![..slash], text[(slash + 1)..], out result);
    }

    /// <summary>For names that were checked before, such as those of stored objects.</summary>
    /// <exception cref="FormatException">One of the two is not valid.</exception>
    public static NamespacedName Of(string ns, string name) =>
        TryCreate(ns, name, out var result) ? result : throw new FormatException($"'{ns}/{name}' is not a namespaced name.");

    public bool Equals(NamespacedName? other) =>
        ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && Name == other.Name && Namespace == other.Namespace);

    /// <summary>Computed once: names are the keys of every lookup of the data plane.</summary>
    public override int GetHashCode() => _hash;

    public int CompareTo(NamespacedName? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
    }

    public override string ToString() => $"{Namespace}/{Name}";
}

using System.Collections.Immutable;

namespace Mesh.Grains.Abstractions.Objects;

/// <summary>One kind that the API serves from the store.</summary>
public sealed record ServedKind(string Group, string Version, string Kind, bool IsNamespaced);

/// <summary>Every kind whose objects can own others or be owned. The API's catalogue fills it, so that a new kind is one of them.</summary>
public sealed record ServedKinds(ImmutableArray<ServedKind> All)
{
    /// <param name="apiVersion">As an owner reference says it: <c>v1</c>, <c>networking.k8s.io/v1</c>.</param>
    public ServedKind? Find(string apiVersion, string kind)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
        return All.FirstOrDefault(served => served.Kind == kind && served.Group == group && served.Version == version);
    }
}

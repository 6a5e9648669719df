using Mesh.ApiServer.Resources;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Requests;

/// <summary>What a URL under <c>/api</c> or <c>/apis</c> names. Empty: not named.</summary>
internal sealed record ResourceRequest(Resource Resource, string Namespace, string Name, string Subresource)
{
    public bool IsCollection => Name.Length == 0;

    /// <summary>The URL itself asks to watch: <c>/api/v1/watch/…</c>, which old clients use.</summary>
    public bool IsWatch { get; init; }

    public ObjectKey Key => Resource.Key(Namespace, Name);

    /// <summary>
    /// Reads <c>/api/v1/…</c> and <c>/apis/GROUP/VERSION/…</c>: <c>RESOURCE[/NAME[/SUB]]</c> with
    /// <c>namespaces/NAMESPACE/</c> in front for kinds in a namespace. Null: nothing of this catalog.
    /// </summary>
    public static ResourceRequest? Parse(ResourceCatalog catalog, string path)
    {
        var parts = path.Trim('/').Split('/');
        var (group, version, rest) = parts switch
        {
            ["api", var coreVersion, .. var tail] => ("", coreVersion, tail),
            ["apis", var named, var namedVersion, .. var tail] => (named, namedVersion, tail),
            _ => ("", "", []),
        };
        return rest switch
        {
            ["watch", .. var watched] when Of(catalog, group, version, watched) is { Subresource: "" } request => request with { IsWatch = true },
            _ => Of(catalog, group, version, rest),
        };
    }

    private static ResourceRequest? Of(ResourceCatalog catalog, string group, string version, string[] rest) =>
        rest switch
        {
            // A namespace itself, unless a kind of that name lives in namespaces.
            ["namespaces", var ns, var plural, .. var tail] when catalog.Find(group, version, plural) is { IsNamespaced: true } resource =>
                Of(resource, ns, tail),
            [var plural, .. var tail] when catalog.Find(group, version, plural) is { } resource
                && (!resource.IsNamespaced || tail.Length == 0) => Of(resource, "", tail),
            _ => null,
        };

    private static ResourceRequest? Of(Resource resource, string ns, string[] tail) => tail switch
    {
        [] => new(resource, ns, "", ""),
        [var name] => new(resource, ns, name, ""),
        [var name, .. var subresource] => new(resource, ns, name, string.Join('/', subresource)),
    };
}

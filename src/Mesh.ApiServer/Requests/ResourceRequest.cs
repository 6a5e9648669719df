using Mesh.ApiServer.Errors;
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
        var (group, version, tail) = Split(path);
        return tail switch
        {
            ["watch", .. var watched] when Of(catalog, group, version, watched) is { Subresource: "" } request => request with { IsWatch = true },
            _ => Of(catalog, group, version, tail),
        };
    }

    private static ResourceRequest? Of(ResourceCatalog catalog, string group, string version, string[] rest) =>
        rest switch
        {
            // A namespace itself, unless a kind of that name lives in namespaces.
            ["namespaces", var ns, var plural, .. var named] when catalog.Find(group, version, plural) is { IsNamespaced: true } resource =>
                Of(resource, ns, named),
            ["namespaces", _, not ("status" or "finalize"), ..] => null, // a kind that is not served
            [var plural, .. var named] when catalog.Find(group, version, plural) is { } resource
                && (!resource.IsNamespaced || named.Length == 0) => Of(resource, "", named),
            _ => null,
        };

    /// <summary>Why a path names nothing: it names a kind that is not served, or is none of the API's.</summary>
    public static ApiStatus NoSuch(ResourceCatalog catalog, string path)
    {
        var (group, version, tail) = Split(path);
        var plural = tail switch
        {
            ["namespaces", _, var inNamespace, ..] => inNamespace,
            [var first, ..] => first,
            [] => "",
        };
        return plural.Length == 0 || catalog.Find(group, version, plural) is not null
            ? ApiStatus.NoSuchResource()
            : ApiStatus.NotServed(plural, group.Length == 0 ? version : $"{group}/{version}");
    }

    private static (string Group, string Version, string[] Tail) Split(string path) => path.Trim('/').Split('/') switch
    {
        ["api", var version, .. var tail] => ("", version, tail),
        ["apis", var group, var version, .. var tail] => (group, version, tail),
        _ => ("", "", []),
    };

    private static ResourceRequest? Of(Resource resource, string ns, string[] tail) => tail switch
    {
        [] => new(resource, ns, "", ""),
        [var name] => new(resource, ns, name, ""),
        [var name, .. var subresource] => new(resource, ns, name, string.Join('/', subresource)),
    };
}

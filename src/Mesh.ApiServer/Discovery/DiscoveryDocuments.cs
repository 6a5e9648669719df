using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;
using Microsoft.Extensions.Options;

namespace Mesh.ApiServer.Discovery;

/// <summary>What the API offers, in both forms that clients ask for: one document of everything, and group by group.</summary>
internal sealed class DiscoveryDocuments
{
    public const string AggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    private static readonly string[] Always = ["/api", "/apis", "/openapi/v2", "/openapi/v3", "/version"];

    private readonly ResourceCatalog _catalog;

    public DiscoveryDocuments(ResourceCatalog catalog, IOptions<ApiOptions> options)
    {
        _catalog = catalog;
        AggregatedCore = Aggregated(catalog.Groups.Where(group => group.Key.Group.Length == 0));
        AggregatedNamed = Aggregated(catalog.Groups.Where(group => group.Key.Group.Length > 0));
        RootPaths = Paths(catalog, options.Value.OtherPaths);
        CoreVersions = new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1") };
        Groups = new JsonObject
        {
            ["kind"] = "APIGroupList",
            ["apiVersion"] = "v1",
            ["groups"] = new JsonArray([.. NamedGroups().Select(group => Group(group, isAlone: false))]),
        };
    }

    public JsonObject AggregatedCore { get; }

    public JsonObject AggregatedNamed { get; }

    public JsonObject CoreVersions { get; }

    public JsonObject Groups { get; }

    /// <summary>Null: no such group.</summary>
    public JsonObject? GroupOf(string group) => NamedGroups().Contains(group) ? Group(group, isAlone: true) : null;

    /// <summary>APIResourceList of one group and version, subresources included; null: there is none.</summary>
    public JsonObject? ResourcesOf(string group, string version)
    {
        var resources = _catalog.All.Where(resource => resource.Group == group && resource.Version == version).ToList();
        return resources.Count == 0 ? null : new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = resources[0].ApiVersion,
            ["resources"] = new JsonArray([.. resources.SelectMany(Listed)]),
        };
    }

    /// <summary>What can be read at the root (<c>kubectl get --raw /</c>).</summary>
    public JsonObject RootPaths { get; }

    private static JsonObject Paths(ResourceCatalog catalog, IEnumerable<string> others) => new()
    {
        ["paths"] = Texts(Always
            .Concat(catalog.Groups.Select(group => group.Key.Group.Length == 0 ? $"/api/{group.Key.Version}" : $"/apis/{group.Key.Group}/{group.Key.Version}"))
            .Concat(catalog.Groups.Where(group => group.Key.Group.Length > 0).Select(group => $"/apis/{group.Key.Group}"))
            .Concat(HealthEndpoints.Paths)
            .Concat(others)
            .Distinct()
            .Order(StringComparer.Ordinal)),
    };

    private IEnumerable<string> NamedGroups() =>
        _catalog.Groups.Select(group => group.Key.Group).Where(group => group.Length > 0).Distinct();

    private JsonObject Group(string name, bool isAlone)
    {
        var versions = _catalog.Groups.Where(group => group.Key.Group == name)
            .Select(group => (JsonNode)new JsonObject { ["groupVersion"] = $"{name}/{group.Key.Version}", ["version"] = group.Key.Version })
            .ToArray();
        var json = new JsonObject
        {
            ["name"] = name,
            ["versions"] = new JsonArray(versions),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
        if (isAlone)
        {
            json["kind"] = "APIGroup";
            json["apiVersion"] = "v1";
        }

        return json;
    }

    private static JsonObject Aggregated(IEnumerable<IGrouping<(string Group, string Version), Resource>> groups) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/v2",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. groups.GroupBy(group => group.Key.Group).Select(versions => (JsonNode)new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = versions.Key, ["creationTimestamp"] = null },
            ["versions"] = new JsonArray([.. versions.Select(version => (JsonNode)new JsonObject
            {
                ["version"] = version.Key.Version,
                ["freshness"] = "Current",
                ["resources"] = new JsonArray([.. version.Select(Aggregated)]),
            })]),
        })]),
    };

    private static JsonObject Aggregated(Resource resource)
    {
        var json = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = Kind(resource),
            ["scope"] = resource.IsNamespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = Texts(resource.Verbs),
        };
        AddNames(json, resource);
        if (resource.HasStatus)
        {
            json["subresources"] = new JsonArray(new JsonObject
            {
                ["subresource"] = "status",
                ["responseKind"] = Kind(resource),
                ["verbs"] = new JsonArray("get"),
            });
        }

        return json;
    }

    private static IEnumerable<JsonNode> Listed(Resource resource)
    {
        var json = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.IsNamespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Texts(resource.Verbs),
        };
        AddNames(json, resource);
        yield return json;
        if (resource.HasStatus)
        {
            yield return new JsonObject
            {
                ["name"] = $"{resource.Plural}/status",
                ["singularName"] = "",
                ["namespaced"] = resource.IsNamespaced,
                ["kind"] = resource.Kind,
                ["verbs"] = new JsonArray("get"),
            };
        }
    }

    private static void AddNames(JsonObject json, Resource resource)
    {
        if (!resource.ShortNames.IsEmpty)
        {
            json["shortNames"] = Texts(resource.ShortNames);
        }

        if (!resource.Categories.IsEmpty)
        {
            json["categories"] = Texts(resource.Categories);
        }
    }

    private static JsonObject Kind(Resource resource) => new()
    {
        ["group"] = resource.Group,
        ["version"] = resource.Version,
        ["kind"] = resource.Kind,
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}

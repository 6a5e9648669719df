using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Schemas;

/// <summary>The operations of one group, as OpenAPI v3 tells them.</summary>
internal static class OpenApiPaths
{
    /// <summary>The patches that the API takes.</summary>
    public static readonly string[] PatchTypes =
        ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

    public static JsonObject Document(IEnumerable<Resource> resources, Descriptions descriptions)
    {
        var paths = new JsonObject();
        var schemas = new OpenApiSchemas(Reference, descriptions);
        foreach (var resource in resources)
        {
            schemas.Add(resource.Schema)["x-kubernetes-group-version-kind"] = new JsonArray(Kind(resource));
            var collection = Collection(resource);
            paths[collection] = Operations(resource, isCollection: true);
            if (resource is { IsNamespaced: true, WrittenBy: not WrittenBy.Nobody })
            {
                paths[$"{Root(resource)}/{resource.Plural}"] = new JsonObject { ["get"] = Operation(resource, "list") };
            }

            if (resource.WrittenBy is not WrittenBy.Nobody)
            {
                paths[$"{collection}/{{name}}"] = Operations(resource, isCollection: false);
            }
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.All },
        };
    }

    /// <summary>Where the objects of a kind are listed and created.</summary>
    public static string Collection(Resource resource) =>
        resource.IsNamespaced ? $"{Root(resource)}/namespaces/{{namespace}}/{resource.Plural}" : $"{Root(resource)}/{resource.Plural}";

    public static JsonObject Kind(Resource resource) => new()
    {
        ["group"] = resource.Group,
        ["version"] = resource.Version,
        ["kind"] = resource.Kind,
    };

    private static string Root(Resource resource) =>
        resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Group}/{resource.Version}";

    // A reference alone would hide what stands beside it.
    private static JsonObject Reference(string name) => new()
    {
        ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{name}" }),
        ["default"] = new JsonObject(),
    };

    private static JsonObject Operations(Resource resource, bool isCollection)
    {
        var operations = new JsonObject();
        if (resource.WrittenBy is not WrittenBy.Nobody)
        {
            operations["get"] = Operation(resource, isCollection ? "list" : "get");
        }

        if (isCollection && resource.Verbs.Contains("create"))
        {
            operations["post"] = Operation(resource, "post", Content(Requests.Responses.Json));
        }
        else if (resource.IsWritable)
        {
            operations["put"] = Operation(resource, "put", Content(Requests.Responses.Json));
            operations["patch"] = Operation(resource, "patch", Content(PatchTypes));
            operations["delete"] = Operation(resource, "delete");
        }

        operations["parameters"] = new JsonArray(
        [
            .. resource.IsNamespaced ? new[] { Parameter("namespace", "path") } : [],
            .. isCollection ? [] : new[] { Parameter("name", "path") },
            Parameter("pretty", "query"),
        ]);
        return operations;
    }

    private static JsonObject Operation(Resource resource, string action, JsonObject? content = null)
    {
        var operation = new JsonObject
        {
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = Kind(resource),
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        };
        if (content is not null)
        {
            operation["parameters"] = new JsonArray(
                Parameter("dryRun", "query"), Parameter("fieldManager", "query"), Parameter("fieldValidation", "query"));
            operation["requestBody"] = new JsonObject { ["content"] = content };
        }

        return operation;
    }

    private static JsonObject Content(params string[] types) =>
        new(types.Select(type => KeyValuePair.Create<string, JsonNode?>(
            type, new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } })));

    private static JsonObject Parameter(string name, string place)
    {
        var parameter = new JsonObject
        {
            ["name"] = name,
            ["in"] = place,
            ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
        };
        if (place == "path")
        {
            parameter["required"] = true;
        }

        return parameter;
    }
}

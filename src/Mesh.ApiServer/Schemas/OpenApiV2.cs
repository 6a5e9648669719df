using System.Text.Json.Nodes;
using Mesh.ApiServer.Requests;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// OpenAPI v2 (swagger 2.0), one small document of every kind: its definition, by which older clients check a manifest
/// themselves, and its writes with the parameters that they take.
/// </summary>
internal static class OpenApiV2
{
    private static readonly string[] BodyTypes = [Responses.Json, Documents.YamlReader.MediaType];

    public static JsonObject Document(ResourceCatalog catalog)
    {
        var definitions = new OpenApiSchemas(Reference, Descriptions.Read());
        var paths = new JsonObject();
        foreach (var resource in catalog.All)
        {
            definitions.Add(resource.Schema)["x-kubernetes-group-version-kind"] = new JsonArray(OpenApiPaths.Kind(resource));
            var collection = OpenApiPaths.Collection(resource);
            paths[collection] = OfCollection(resource);
            if (resource.WrittenBy is not WrittenBy.Nobody)
            {
                paths[$"{collection}/{{name}}"] = OfObject(resource);
            }
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = paths,
            ["definitions"] = definitions.All,
        };
    }

    private static JsonObject OfCollection(Resource resource)
    {
        var path = new JsonObject();
        if (resource.WrittenBy is not WrittenBy.Nobody)
        {
            path["get"] = Operation(resource, "list");
        }

        if (resource.Verbs.Contains("create"))
        {
            path["post"] = Write(resource, "post", BodyTypes);
        }

        path["parameters"] = PathParameters(resource, isNamed: false);
        return path;
    }

    private static JsonObject OfObject(Resource resource)
    {
        var path = new JsonObject { ["get"] = Operation(resource, "get") };
        if (resource.IsWritable)
        {
            path["put"] = Write(resource, "put", BodyTypes);
            path["patch"] = Write(resource, "patch", OpenApiPaths.PatchTypes);
            path["delete"] = Operation(resource, "delete");
        }

        path["parameters"] = PathParameters(resource, isNamed: true);
        return path;
    }

    private static JsonObject Write(Resource resource, string action, string[] types)
    {
        var operation = Operation(resource, action);
        operation["consumes"] = new JsonArray([.. types.Select(type => JsonValue.Create(type))]);
        operation["parameters"] = new JsonArray(
            new JsonObject { ["name"] = "body", ["in"] = "body", ["required"] = true, ["schema"] = BodySchema(resource, action) },
            Parameter("dryRun", "query"),
            Parameter("fieldManager", "query"),
            Parameter("fieldValidation", "query"));
        return operation;
    }

    private static JsonObject BodySchema(Resource resource, string action) =>
        action == "patch" ? new JsonObject { ["type"] = "object" } : Reference(resource.Schema.Name);

    private static JsonObject Operation(Resource resource, string action) => new()
    {
        ["produces"] = new JsonArray(Responses.Json),
        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = OpenApiPaths.Kind(resource),
    };

    private static JsonArray PathParameters(Resource resource, bool isNamed) => new(
    [
        .. resource.IsNamespaced ? new[] { Parameter("namespace", "path") } : [],
        .. isNamed ? new[] { Parameter("name", "path") } : [],
    ]);

    private static JsonObject Parameter(string name, string place)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["type"] = "string" };
        if (place == "path")
        {
            parameter["required"] = true;
        }

        return parameter;
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/definitions/{name}" };
}

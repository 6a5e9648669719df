using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// OpenAPI v3, one document a group. kubectl reads three things from it: whether a PATCH takes <c>fieldValidation</c>
/// (else it validates by a protobuf document that we do not have), the merge keys of lists, and the fields for
/// <c>kubectl explain</c>.
/// </summary>
internal sealed class OpenApiDocuments
{
    private readonly Dictionary<string, byte[]> _documents = new(StringComparer.Ordinal);

    public OpenApiDocuments(ResourceCatalog catalog)
    {
        var paths = new JsonObject();
        foreach (var group in catalog.Groups)
        {
            var name = group.Key.Group.Length == 0 ? $"api/{group.Key.Version}" : $"apis/{group.Key.Group}/{group.Key.Version}";
            var document = OpenApiPaths.Document(group).ToUtf8();
            _documents.Add(name, document);
            var hash = Convert.ToHexString(SHA256.HashData(document));
            paths[name] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{name}?hash={hash}" };
        }

        Index = new JsonObject { ["paths"] = paths };
    }

    public JsonObject Index { get; }

    public byte[]? Find(string name) => _documents.GetValueOrDefault(name);

    /// <summary>The schema and every one that it refers to.</summary>
    public static void AddSchema(JsonObject components, ObjectSchema schema)
    {
        if (components.ContainsKey(schema.Name))
        {
            return;
        }

        var properties = new JsonObject();
        components[schema.Name] = new JsonObject { ["type"] = "object", ["properties"] = properties };
        foreach (var field in schema.Fields.Values)
        {
            var property = ToJson(field.Shape, components);
            if (field.Merge is { } merge)
            {
                property["x-kubernetes-patch-strategy"] = merge.RetainsKeys ? "merge,retainKeys" : "merge";
                if (merge.Key.Length > 0)
                {
                    property["x-kubernetes-patch-merge-key"] = merge.Key;
                }
            }

            properties[field.Name] = property;
        }
    }

    private static JsonObject ToJson(Shape shape, JsonObject components) => shape switch
    {
        Shape.Text => new() { ["type"] = "string", ["default"] = "" },
        Shape.Number number => new() { ["type"] = "integer", ["format"] = number.Is64Bit ? "int64" : "int32" },
        Shape.Flag => new() { ["type"] = "boolean" },
        Shape.Time or Shape.MicroTime => new() { ["type"] = "string", ["format"] = "date-time" },
        Shape.Bytes => new() { ["type"] = "string", ["format"] = "byte" },
        Shape.NumberOrText => new() { ["type"] = "string", ["format"] = "int-or-string" },
        Shape.Quantity => new() { ["type"] = "string" },
        Shape.Anything => new() { ["type"] = "object" },
        Shape.ListOf list => new() { ["type"] = "array", ["items"] = ToJson(list.Item, components) },
        Shape.MapOf map => new() { ["type"] = "object", ["additionalProperties"] = ToJson(map.Value, components) },
        Shape.Structure structure => Reference(structure.Schema, components),
        _ => throw new UnreachableException(),
    };

    private static JsonObject Reference(ObjectSchema schema, JsonObject components)
    {
        AddSchema(components, schema);
        return new JsonObject
        {
            ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{schema.Name}" }),
            ["default"] = new JsonObject(),
        };
    }
}

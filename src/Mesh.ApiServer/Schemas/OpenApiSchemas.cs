using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Mesh.ApiServer.Schemas;

/// <summary>Schemas as both versions of OpenAPI write them; how one refers to another is the caller's.</summary>
/// <param name="refer">A reference to the schema of that name.</param>
/// <param name="descriptions">What is said of types and fields.</param>
internal sealed class OpenApiSchemas(Func<string, JsonObject> refer, Descriptions descriptions)
{
    public JsonObject All { get; } = [];

    /// <summary>The schema and every one that it refers to.</summary>
    public JsonObject Add(ObjectSchema schema)
    {
        if (All[schema.Name] is JsonObject known)
        {
            return known;
        }

        var properties = new JsonObject();
        var json = new JsonObject { ["type"] = "object", ["properties"] = properties };
        All[schema.Name] = json;
        Describe(json, schema.Source);
        foreach (var field in schema.Fields.Values)
        {
            var property = ToJson(field.Shape);
            Describe(property, $"{schema.Source}.{field.Source}");
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

        return json;
    }

    private void Describe(JsonObject json, string source)
    {
        if (descriptions.Of(source) is { } text)
        {
            json["description"] = text;
        }
    }

    private JsonObject ToJson(Shape shape) => shape switch
    {
        Shape.Text => new() { ["type"] = "string", ["default"] = "" },
        Shape.Number number => new() { ["type"] = "integer", ["format"] = number.Is64Bit ? "int64" : "int32" },
        Shape.Flag => new() { ["type"] = "boolean" },
        Shape.Time or Shape.MicroTime => new() { ["type"] = "string", ["format"] = "date-time" },
        Shape.Bytes => new() { ["type"] = "string", ["format"] = "byte" },
        Shape.NumberOrText => new() { ["type"] = "string", ["format"] = "int-or-string" },
        Shape.Quantity => new() { ["type"] = "string" },
        Shape.Anything => new() { ["type"] = "object" },
        Shape.ListOf list => new() { ["type"] = "array", ["items"] = ToJson(list.Item) },
        Shape.MapOf map => new() { ["type"] = "object", ["additionalProperties"] = ToJson(map.Value) },
        Shape.Structure structure => Reference(structure.Schema),
        _ => throw new UnreachableException(),
    };

    private JsonObject Reference(ObjectSchema schema)
    {
        Add(schema);
        return refer(schema.Name);
    }
}

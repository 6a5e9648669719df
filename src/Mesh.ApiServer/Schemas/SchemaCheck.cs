using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Json;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// Makes a document fit its type, as decoding into the Go type would: unknown fields and nulls go, a value of the wrong
/// type, and a string that is not of its form, is an error.
/// </summary>
internal sealed class SchemaCheck
{
    private readonly List<string> _unknown = [];

    private SchemaCheck()
    {
    }

    /// <summary>Paths of the fields that were removed because the type does not have them.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <summary>What is wrong with the first value of a wrong type, null when nothing is.</summary>
    public string? Mismatch { get; private set; }

    /// <param name="before">As stored: a version that checked less may have let in a string that is out of form, and it may stay.</param>
    public static SchemaCheck Fit(JsonObject document, ObjectSchema schema, JsonObject? before = null)
    {
        var check = new SchemaCheck();
        check.FitObject(document, schema, DocumentPath.Root, before);
        return check;
    }

    private void FitObject(JsonObject json, ObjectSchema schema, DocumentPath path, JsonNode? before)
    {
        List<string>? drop = null;
        foreach (var (name, value) in json)
        {
            if (!schema.Fields.TryGetValue(name, out var field))
            {
                if (_unknown.Count < DocumentReader.MaxFindings)
                {
                    _unknown.Add(path.Member(name).ToString());
                }

                (drop ??= []).Add(name);
            }
            else if (value is null)
            {
                (drop ??= []).Add(name);
            }
            else
            {
                FitValue(value, field.Shape, path.Member(name), before.At(name));
            }
        }

        foreach (var name in drop ?? [])
        {
            json.Remove(name);
        }
    }

    private void FitValue(JsonNode value, Shape shape, DocumentPath path, JsonNode? before)
    {
        switch (shape)
        {
            case Shape.Structure structure when value is JsonObject json:
                FitObject(json, structure.Schema, path, before);
                return;
            case Shape.MapOf map when value is JsonObject json:
                FitMembers(json, map, path, before);
                return;
            case Shape.ListOf list when value is JsonArray items:
                FitItems(items, list, path, before);
                return;
            case Shape.Anything:
                return;
            case Shape.Structure or Shape.MapOf or Shape.ListOf:
                Mismatched(value, shape, path);
                return;
            default:
                FitLeaf(value, shape, path, before);
                return;
        }
    }

    private void FitLeaf(JsonNode value, Shape shape, DocumentPath path, JsonNode? before)
    {
        if (!IsLeaf(value, shape))
        {
            Mismatched(value, shape, path);
        }
        else if (Mismatch is null && FormatProblem(value, shape) is { } problem && !JsonNode.DeepEquals(value, before))
        {
            Mismatch = $"{path}: {problem}";
        }
    }

    private void FitMembers(JsonObject json, Shape.MapOf map, DocumentPath path, JsonNode? before)
    {
        // A null value of a string map decodes to the empty string in Go; nobody means that, so it goes like any null.
        foreach (var name in json.Where(member => member.Value is null).Select(member => member.Key).ToList())
        {
            json.Remove(name);
        }

        foreach (var (name, value) in json)
        {
            FitValue(value!, map.Value, path.Member(name), before.At(name));
        }
    }

    private void FitItems(JsonArray items, Shape.ListOf list, DocumentPath path, JsonNode? before)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i] is { } item)
            {
                FitValue(item, list.Item, path.Item(i), before is JsonArray old && i < old.Count ? old[i] : null);
            }
            else
            {
                Mismatch ??= $"{path.Item(i)}: null is not allowed in a list";
            }
        }
    }

    private static bool IsLeaf(JsonNode value, Shape shape) => (value.GetValueKind(), shape) switch
    {
        (JsonValueKind.String, Shape.Text or Shape.NumberOrText or Shape.Quantity or Shape.Time or Shape.MicroTime or Shape.Bytes) => true,
        (JsonValueKind.True or JsonValueKind.False, Shape.Flag) => true,
        (JsonValueKind.Number, Shape.Number { Is64Bit: true }) => value.AsNumber() is not null,
        (JsonValueKind.Number, Shape.Number or Shape.NumberOrText) => value.AsNumber() is >= int.MinValue and <= int.MaxValue,
        (JsonValueKind.Number, Shape.Quantity) => true,
        _ => false,
    };

    private static string? FormatProblem(JsonNode value, Shape shape) => shape switch
    {
        Shape.Quantity => TextFormats.QuantityProblem(value.AsText() ?? value.ToJsonString(MeshJson.Options)),
        Shape.Time => TextFormats.TimeProblem(value.AsText()!),
        Shape.MicroTime => TextFormats.MicroTimeProblem(value.AsText()!),
        Shape.Bytes => TextFormats.BytesProblem(value.AsText()!),
        _ => null,
    };

    private void Mismatched(JsonNode value, Shape shape, DocumentPath path) =>
        Mismatch ??= $"json: cannot unmarshal {Describe(value)} into {path} of type {Describe(shape)}";

    private static string Describe(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => $"number {value.ToJsonString(MeshJson.Options)}",
        _ => "bool",
    };

    private static string Describe(Shape shape) => shape switch
    {
        Shape.Text => "string",
        Shape.Number number => number.Is64Bit ? "int64" : "int32",
        Shape.Flag => "bool",
        Shape.Time => "Time",
        Shape.MicroTime => "MicroTime",
        Shape.Bytes => "[]byte",
        Shape.NumberOrText => "IntOrString",
        Shape.Quantity => "Quantity",
        Shape.ListOf => "array",
        Shape.MapOf or Shape.Structure => "object",
        Shape.Anything => "any",
        _ => throw new UnreachableException(),
    };
}

using System.Collections.Frozen;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Documents;

/// <summary>
/// Reads an object that a Go client sent as protobuf: four magic bytes, then runtime.Unknown with the object in field 2
/// (apimachinery pkg/runtime/serializer/protobuf). Go writes zero values of plain fields, which mean "not set".
/// </summary>
internal static class ProtobufReader
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private const int RawField = 2;

    // Pointers in Go: false is an answer, not an absence.
    private static readonly FrozenSet<string> Pointers = ["allocateLoadBalancerNodePorts", "controller", "blockOwnerDeletion"];

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public static Outcome<JsonObject> Read(ReadOnlyMemory<byte> body, ObjectSchema schema)
    {
        if (ProtobufFields.Of(schema) is not { } fields)
        {
            return ApiStatus.UnsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: application/json");
        }

        if (!body.Span.StartsWith(Magic))
        {
            return ApiStatus.BadRequest("the body is not a protobuf object of Kubernetes");
        }

        try
        {
            var envelope = new ProtobufSpan(body.Span[Magic.Length..]);
            var document = new JsonObject();
            while (envelope.Next())
            {
                if (envelope.Field == RawField)
                {
                    ReadObject(document, new ProtobufSpan(envelope.Bytes), schema, fields);
                }
            }

            return document;
        }
        catch (FormatException malformed)
        {
            return ApiStatus.BadRequest($"the body is not valid protobuf: {malformed.Message}");
        }
    }

    private static void ReadObject(JsonObject target, ProtobufSpan message, ObjectSchema schema, FrozenDictionary<int, string> fields)
    {
        while (message.Next())
        {
            if (!fields.TryGetValue(message.Field, out var name))
            {
                continue;
            }

            if (name == ProtobufFields.Inline)
            {
                ReadObject(target, new ProtobufSpan(message.Bytes), schema, ProtobufFields.OfInline);
            }
            else if (schema.Fields.TryGetValue(name, out var field))
            {
                ReadField(target, field, ref message);
            }
        }
    }

    private static void ReadField(JsonObject target, Field field, ref ProtobufSpan message)
    {
        switch (field.Shape)
        {
            case Shape.ListOf list:
                if (target[field.Name] is not JsonArray items)
                {
                    target[field.Name] = items = [];
                }

                items.Add(ReadValue(list.Item, ref message));
                break;
            case Shape.MapOf:
                var entry = new ProtobufSpan(message.Bytes);
                var (key, value) = ("", "");
                while (entry.Next())
                {
                    (key, value) = entry.Field == 1 ? (Text(entry.Bytes), value) : (key, Text(entry.Bytes));
                }

                target.Child(field.Name)[key] = value;
                break;
            default:
                if (ReadValue(field.Shape, ref message) is { } single && !IsZero(field.Name, single))
                {
                    target[field.Name] = single;
                }

                break;
        }
    }

    private static JsonNode? ReadValue(Shape shape, ref ProtobufSpan message)
    {
        switch (shape)
        {
            case Shape.Text:
                return Text(message.Bytes);
            case Shape.Number:
                return (long)message.Number;
            case Shape.Flag:
                return message.Number != 0;
            case Shape.NumberOrText:
                return ReadNumberOrText(new ProtobufSpan(message.Bytes));
            case Shape.Structure structure when ProtobufFields.Of(structure.Schema) is { } fields:
                var nested = new JsonObject();
                ReadObject(nested, new ProtobufSpan(message.Bytes), structure.Schema, fields);
                return nested;
            default:
                return null;
        }
    }

    // intstr.IntOrString: 1 is which of the two, 2 the number, 3 the text.
    private static JsonValue ReadNumberOrText(ProtobufSpan message)
    {
        var (isText, number, text) = (false, 0L, "");
        while (message.Next())
        {
            switch (message.Field)
            {
                case 1:
                    isText = message.Number == 1;
                    break;
                case 2:
                    number = (long)message.Number;
                    break;
                case 3:
                    text = Text(message.Bytes);
                    break;
            }
        }

        return isText ? JsonValue.Create(text) : JsonValue.Create(number);
    }

    private static bool IsZero(string field, JsonNode value) =>
        value.AsText() is "" || value.AsNumber() is 0
        || (value is JsonValue flag && flag.TryGetValue<bool>(out var isSet) && !isSet && !Pointers.Contains(field));

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes)
        ? Encoding.UTF8.GetString(bytes)
        : throw new FormatException("a string is not valid UTF-8");
}

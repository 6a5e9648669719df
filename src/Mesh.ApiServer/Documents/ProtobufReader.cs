using System.Collections.Frozen;
using System.Globalization;
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

    private const long NanosecondsPerSecond = 1_000_000_000;

    // The years 1 to 9999.
    private const long MinSeconds = -62_135_596_800;

    private const long MaxSeconds = 253_402_300_799;

    // Pointers in Go: a zero value is an answer, not an absence.
    private static readonly FrozenSet<string> Pointers =
    [
        "allocateLoadBalancerNodePorts", "controller", "blockOwnerDeletion", "immutable", "automountServiceAccountToken",
        "holderIdentity", "leaseDurationSeconds", "leaseTransitions", "gracePeriodSeconds", "orphanDependents",
    ];

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
            case Shape.MapOf map:
                var entry = new ProtobufSpan(message.Bytes);
                var (key, value) = ("", (JsonNode?)"");
                while (entry.Next())
                {
                    (key, value) = entry.Field == 1 ? (Text(entry.Bytes), value) : (key, ReadValue(map.Value, ref entry));
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
            case Shape.Bytes:
                return Convert.ToBase64String(message.Bytes);
            case Shape.Time or Shape.MicroTime:
                return ReadTime(new ProtobufSpan(message.Bytes));
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

    // Time and MicroTime: 1 is seconds since 1970, 2 the nanoseconds of the second.
    private static JsonValue ReadTime(ProtobufSpan message)
    {
        var (seconds, nanoseconds) = (0L, 0L);
        while (message.Next())
        {
            (seconds, nanoseconds) = message.Field == 1 ? ((long)message.Number, nanoseconds) : (seconds, (long)message.Number);
        }

        if (seconds is < MinSeconds or > MaxSeconds || nanoseconds is < 0 or >= NanosecondsPerSecond)
        {
            throw new FormatException("a time is out of range");
        }

        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
        return JsonValue.Create(time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
    }

    private static bool IsZero(string field, JsonNode value) =>
        !Pointers.Contains(field)
        && (value.AsText() is "" || value.AsNumber() is 0 || (value is JsonValue flag && flag.TryGetValue<bool>(out var isSet) && !isSet));

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes)
        ? Encoding.UTF8.GetString(bytes)
        : throw new FormatException("a string is not valid UTF-8");
}

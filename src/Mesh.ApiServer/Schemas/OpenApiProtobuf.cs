using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Json;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// Writes an OpenAPI v2 document in the protobuf form that Kubernetes' clients read (github.com/google/gnostic,
/// openapiv2/OpenAPIv2.proto). Only members that <see cref="OpenApiV2"/> writes are known here.
/// </summary>
internal static class OpenApiProtobuf
{
    /// <summary>How a server names the form; clients ask with <c>@v1.0</c> or <c>.v1.0</c> in it.</summary>
    public const string MediaType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    /// <summary>What every spelling of the type begins with.</summary>
    public const string AnyVersion = "application/com.github.proto-openapi.spec.v2";

    public static byte[] Write(JsonObject document)
    {
        var message = new ProtobufMessage();
        message.Text(1, document["swagger"]);
        message.Message(2, Info(document["info"]!));
        message.Message(8, Named(2, document["paths"], Path));
        message.Message(9, Named(1, document["definitions"], Schema));
        return message.ToArray();
    }

    private static ProtobufMessage Info(JsonNode json)
    {
        var message = new ProtobufMessage();
        message.Text(1, json["title"]);
        message.Text(2, json["version"]);
        return message;
    }

    private static ProtobufMessage Path(JsonNode json)
    {
        var message = new ProtobufMessage();
        foreach (var (method, field) in new[] { ("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8) })
        {
            if (json[method] is { } operation)
            {
                message.Message(field, Operation(operation));
            }
        }

        Parameters(message, 9, json);
        return message;
    }

    private static ProtobufMessage Operation(JsonNode json)
    {
        var message = new ProtobufMessage();
        message.Texts(6, json["produces"]);
        message.Texts(7, json["consumes"]);
        Parameters(message, 8, json);
        message.Message(9, Named(1, json["responses"], Response));
        Extensions(message, 13, json);
        return message;
    }

    // ResponseValue: a choice of one, the response.
    private static ProtobufMessage Response(JsonNode json)
    {
        var response = new ProtobufMessage();
        response.Text(1, json["description"]);
        return Only(1, response);
    }

    private static void Parameters(ProtobufMessage message, int field, JsonNode json)
    {
        foreach (var parameter in json["parameters"].AsList())
        {
            message.Message(field, Only(1, Parameter(parameter!))); // ParametersItem: a choice
        }
    }

    // Parameter is a choice (1 the body, 2 all others), and so are the others: 3 the query, 4 the path.
    private static ProtobufMessage Parameter(JsonNode json)
    {
        var place = json["in"].AsText();
        var message = new ProtobufMessage();
        if (place == "body")
        {
            message.Text(2, json["name"]);
            message.Text(3, json["in"]);
            message.Flag(4, json["required"]);
            message.Message(5, Schema(json["schema"]!));
            return Only(1, message);
        }

        message.Flag(1, json["required"]);
        message.Text(2, json["in"]);
        message.Text(4, json["name"]);
        message.Text(place == "query" ? 6 : 5, json["type"]);
        return Only(2, Only(place == "query" ? 3 : 4, message));
    }

    private static ProtobufMessage Schema(JsonNode json)
    {
        var message = new ProtobufMessage();
        message.Text(1, json["$ref"]);
        message.Text(2, json["format"]);
        message.Text(4, json["description"]);
        if (json["default"] is { } value)
        {
            message.Message(5, Any(value));
        }

        if (json["additionalProperties"] is { } member)
        {
            message.Message(21, Only(1, Schema(member)));
        }

        if (json["type"] is { } type)
        {
            var types = new ProtobufMessage();
            types.Text(1, type);
            message.Message(22, types);
        }

        if (json["items"] is { } item)
        {
            message.Message(23, Only(1, Schema(item)));
        }

        if (json["properties"] is { } properties)
        {
            message.Message(25, Named(1, properties, Schema));
        }

        Extensions(message, 31, json);
        return message;
    }

    private static void Extensions(ProtobufMessage message, int field, JsonNode json)
    {
        foreach (var (name, value) in json.AsObject().Where(member => member.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            message.Message(field, Pair(name, Any(value!)));
        }
    }

    // Any carries YAML, of which JSON is a part.
    private static ProtobufMessage Any(JsonNode json)
    {
        var message = new ProtobufMessage();
        message.Text(2, json.ToJsonString(MeshJson.Options));
        return message;
    }

    private static ProtobufMessage Named(int field, JsonNode? members, Func<JsonNode, ProtobufMessage> write)
    {
        var message = new ProtobufMessage();
        foreach (var (name, value) in (JsonObject)members!)
        {
            message.Message(field, Pair(name, write(value!)));
        }

        return message;
    }

    private static ProtobufMessage Pair(string name, ProtobufMessage value)
    {
        var message = new ProtobufMessage();
        message.Text(1, name);
        message.Message(2, value);
        return message;
    }

    private static ProtobufMessage Only(int field, ProtobufMessage value)
    {
        var message = new ProtobufMessage();
        message.Message(field, value);
        return message;
    }
}

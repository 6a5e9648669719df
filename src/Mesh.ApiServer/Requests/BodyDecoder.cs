using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Requests;

/// <summary>Makes JSON of a body, whatever of the accepted formats it was sent in.</summary>
internal static class BodyDecoder
{
    public static Outcome<RequestBody> Decode(ObjectSchema schema, RequestBody body)
    {
        switch (body.MediaType)
        {
            case Responses.Json:
                return body;
            case YamlReader.MediaType:
                return YamlReader.Read(body.Bytes).IsRefused(out var malformed, out var json)
                    ? malformed
                    : new RequestBody(json, Responses.Json);
            case ProtobufReader.MediaType:
                return ProtobufReader.Read(body.Bytes, schema).IsRefused(out var refusal, out var document)
                    ? refusal
                    : new RequestBody(document.ToUtf8(), Responses.Json);
            default:
                return ApiStatus.UnsupportedMediaType(
                    $"the body of the request was in an unknown format - accepted media types include: {Responses.Json}, {YamlReader.MediaType}, {ProtobufReader.MediaType}");
        }
    }
}

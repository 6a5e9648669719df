using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Schemas;

/// <summary>
/// What the API says of its kinds, made when somebody asks first. OpenAPI v3 is one document a group; kubectl reads three
/// things from it: whether a PATCH takes <c>fieldValidation</c>, the merge keys of lists, and the fields for
/// <c>kubectl explain</c>. For a kind that no group has, and for <c>kind: List</c>, it asks for the one document of
/// version 2, and gives up on the whole file when there is none.
/// </summary>
internal sealed class OpenApiDocuments
{
    private readonly Lazy<Groups> _groups;
    private readonly Lazy<byte[]> _json;
    private readonly Lazy<byte[]> _protobuf;

    public OpenApiDocuments(ResourceCatalog catalog)
    {
        _groups = new(() => new Groups(catalog));
        _json = new(() => OpenApiV2.Document(catalog).ToUtf8());
        _protobuf = new(() => OpenApiProtobuf.Write(OpenApiV2.Document(catalog)));
    }

    public JsonObject Index => _groups.Value.Index;

    /// <summary>Version 2 as JSON.</summary>
    public byte[] Json => _json.Value;

    /// <summary>Version 2 as protobuf, which is all that kubectl takes.</summary>
    public byte[] Protobuf => _protobuf.Value;

    public byte[]? Find(string name) => _groups.Value.Documents.GetValueOrDefault(name);

    private sealed class Groups
    {
        public Groups(ResourceCatalog catalog)
        {
            var descriptions = Descriptions.Read();
            var paths = new JsonObject();
            foreach (var group in catalog.Groups)
            {
                var name = group.Key.Group.Length == 0 ? $"api/{group.Key.Version}" : $"apis/{group.Key.Group}/{group.Key.Version}";
                var document = OpenApiPaths.Document(group, descriptions).ToUtf8();
                Documents.Add(name, document);
                var hash = Convert.ToHexString(SHA256.HashData(document));
                paths[name] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{name}?hash={hash}" };
            }

            Index = new JsonObject { ["paths"] = paths };
        }

        public JsonObject Index { get; }

        public Dictionary<string, byte[]> Documents { get; } = new(StringComparer.Ordinal);
    }
}

using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Requests;

/// <summary>Reads an object from a body and makes it fit its type; what does not fit is refused, warned of, or dropped, as asked.</summary>
internal static class ObjectReader
{
    /// <param name="before">The stored object, null on create.</param>
    public static Outcome<JsonObject> Read(
        Resource resource, ReadOnlyMemory<byte> body, JsonObject? before, FieldValidation validation, Warnings warnings)
    {
        if (DocumentReader.Read(body).IsRefused(out var malformed, out var read))
        {
            return malformed;
        }

        return read.Root is JsonObject document
            ? Fit(resource, document, before, read.Duplicates, validation, warnings)
            : ApiStatus.BadRequest("the body is not a JSON object");
    }

    public static Outcome<JsonObject> Fit(
        Resource resource, JsonObject document, JsonObject? before, IReadOnlyList<string> duplicates, FieldValidation validation, Warnings warnings)
    {
        var check = SchemaCheck.Fit(document, resource.Schema, before);
        var prefix = $"{resource.Kind} in version \"{resource.Version}\" cannot be handled as a {resource.Kind}:";
        if (check.Mismatch is { } mismatch)
        {
            return ApiStatus.BadRequest($"{prefix} {mismatch}");
        }

        var findings = check.Unknown.Select(field => $"unknown field \"{field}\"")
            .Concat(duplicates.Select(field => $"duplicate field \"{field}\""))
            .ToList();
        if (validation == FieldValidation.Strict && findings.Count > 0)
        {
            return ApiStatus.BadRequest($"{prefix} strict decoding error: {string.Join(", ", findings)}");
        }

        if (validation == FieldValidation.Warn)
        {
            warnings.AddRange(findings);
        }

        return document;
    }
}

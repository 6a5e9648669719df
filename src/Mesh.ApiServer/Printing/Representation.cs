using Mesh.ApiServer.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Mesh.ApiServer.Printing;

/// <summary>The form in which a client wants objects.</summary>
internal abstract record Representation
{
    private Representation()
    {
    }

    /// <summary>The objects themselves.</summary>
    public sealed record Whole : Representation;

    /// <summary>Rows for people, as <c>kubectl get</c> asks for.</summary>
    public sealed record Rows(RowObject Include) : Representation;

    /// <summary>PartialObjectMetadata: caches that need names and labels only.</summary>
    public sealed record MetadataOnly : Representation;

    public static Outcome<Representation> For(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) || accepted.Count == 0)
        {
            return new Whole();
        }

        // In the client's order: kubectl names Table first and plain JSON last.
        foreach (var type in accepted.OrderByDescending(type => type.Quality ?? 1.0))
        {
            if (type.MediaType.Value is not ("application/json" or "application/*" or "*/*"))
            {
                continue;
            }

            var form = type.Parameters.FirstOrDefault(parameter => parameter.Name == "as")?.Value.Value;
            switch (form)
            {
                case null:
                    return new Whole();
                case "Table":
                    return RowsOf(request.Query["includeObject"].ToString());
                case "PartialObjectMetadata" or "PartialObjectMetadataList":
                    return new MetadataOnly();
            }
        }

        return ApiStatus.NotAcceptable();
    }

    private static Outcome<Representation> RowsOf(string include) => include switch
    {
        "" or "Metadata" => new Rows(RowObject.Metadata),
        "Object" => new Rows(RowObject.Whole),
        "None" => new Rows(RowObject.None),
        _ => ApiStatus.BadRequest($"unknown includeObject \"{include}\""),
    };
}

/// <summary>What each row carries beside its cells.</summary>
internal enum RowObject
{
    None,
    Metadata,
    Whole,
}

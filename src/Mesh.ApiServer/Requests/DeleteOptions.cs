using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Schemas;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>DeleteOptions, from the body or the query; the body wins.</summary>
internal sealed record DeleteOptions(long IfVersion, string IfUid, long? GracePeriodSeconds, bool DryRun)
{
    public static Outcome<DeleteOptions> Parse(HttpRequest request, ReadOnlyMemory<byte> body, ObjectSchema schema)
    {
        JsonObject? sent = null;
        if (body.Length > 0)
        {
            if (DocumentReader.Read(body).IsRefused(out var malformed, out var read))
            {
                return malformed;
            }

            sent = read.Root as JsonObject;
            if (sent is null || SchemaCheck.Fit(sent, schema).Mismatch is not null)
            {
                return ApiStatus.BadRequest("the body is not a DeleteOptions object");
            }
        }

        var dryRun = sent.At("dryRun").AsList().Select(value => value.AsText()).Concat(request.Query["dryRun"]).ToList();
        if (dryRun.Any(value => value is not ("All" or "" or null)))
        {
            return ApiStatus.InvalidOption("dryRun", "Unsupported value: supported values: \"All\"");
        }

        if (Propagation(sent, request) is not ("" or "Background" or "Foreground" or "Orphan"))
        {
            return ApiStatus.InvalidOption("propagationPolicy", "Unsupported value: supported values: \"Background\", \"Foreground\", \"Orphan\"");
        }

        var grace = sent.At("gracePeriodSeconds").AsNumber()
            ?? (long.TryParse(request.Query["gracePeriodSeconds"], out var seconds) ? seconds : null);
        var version = sent.At("preconditions", "resourceVersion").AsText();
        if (version is { Length: > 0 } && !long.TryParse(version, out _))
        {
            return ApiStatus.BadRequest($"preconditions.resourceVersion: Invalid value: \"{version}\"");
        }

        return new DeleteOptions(
            version is { Length: > 0 } ? long.Parse(version, System.Globalization.CultureInfo.InvariantCulture) : 0,
            sent.At("preconditions", "uid").AsText() ?? "",
            grace < 0 ? 1 : grace,
            dryRun.Contains("All"));
    }

    private static string Propagation(JsonObject? sent, HttpRequest request) =>
        sent.At("propagationPolicy").AsText() ?? request.Query["propagationPolicy"].ToString();
}

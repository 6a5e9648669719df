using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Schemas;
using Mesh.Grains.Abstractions.Objects;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

/// <summary>DeleteOptions, from the body or the query; the body wins.</summary>
internal sealed record DeleteOptions(long IfVersion, string IfUid, long? GracePeriodSeconds, bool DryRun, Propagation Propagation)
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

        if (RefusePropagation(sent, request, out var propagation) is { } unknown)
        {
            return unknown;
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
            dryRun.Contains("All"),
            propagation);
    }

    private static ApiStatus? RefusePropagation(JsonObject? sent, HttpRequest request, out Propagation propagation)
    {
        var policy = sent.At("propagationPolicy").AsText() ?? request.Query["propagationPolicy"].ToString();
        bool? orphans = sent.At("orphanDependents") is { } said ? said.AsBoolean()
            : bool.TryParse(request.Query["orphanDependents"], out var asked) ? asked
            : null;
        propagation = (policy, orphans) switch
        {
            ("Background", _) or ("", false) => Propagation.Background,
            ("Foreground", _) => Propagation.Foreground,
            ("Orphan", _) or ("", true) => Propagation.Orphan,
            _ => Propagation.Default,
        };
        return (policy, orphans) switch
        {
            ("", _) => null,
            (_, not null) => ApiStatus.InvalidOption(
                "propagationPolicy", "Invalid value: orphanDependents and deletionPropagation cannot be both set"),
            _ when propagation is Propagation.Default => ApiStatus.InvalidOption(
                "propagationPolicy", $"Unsupported value: \"{policy}\": supported values: \"Background\", \"Foreground\", \"Orphan\""),
            _ => null,
        };
    }
}

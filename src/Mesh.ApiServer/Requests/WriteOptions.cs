using Mesh.ApiServer.Errors;
using Microsoft.AspNetCore.Http;

namespace Mesh.ApiServer.Requests;

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>Query parameters of create, update, patch and delete.</summary>
internal sealed record WriteOptions(bool DryRun, FieldValidation FieldValidation, string Manager)
{
    private const int MaxManagerLength = 128;

    public static Outcome<WriteOptions> Parse(HttpRequest request)
    {
        var dryRun = request.Query["dryRun"];
        if (dryRun.Any(value => value is not ("All" or "")))
        {
            return ApiStatus.InvalidOption("dryRun", $"Unsupported value: \"{dryRun}\": supported values: \"All\"");
        }

        var manager = request.Query["fieldManager"].ToString();
        if (manager.Length > MaxManagerLength || manager.Any(char.IsControl))
        {
            return ApiStatus.InvalidOption("fieldManager", $"must be at most {MaxManagerLength} printable characters");
        }

        var asked = request.Query["fieldValidation"].ToString();
        FieldValidation? validation = asked switch
        {
            "" or "Warn" => FieldValidation.Warn,
            "Strict" => FieldValidation.Strict,
            "Ignore" => FieldValidation.Ignore,
            _ => null,
        };
        return validation is { } known
            ? new WriteOptions(dryRun.Contains("All"), known, manager.Length > 0 ? manager : Agent(request))
            : ApiStatus.InvalidOption(
                "fieldValidation", $"Unsupported value: \"{asked}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
    }

    // As Kubernetes names a manager that names itself not: the first part of the User-Agent.
    private static string Agent(HttpRequest request) => request.Headers.UserAgent.ToString().Split('/')[0] is { Length: > 0 } agent ? agent : "unknown";
}

using System.Text.Json.Nodes;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Errors;

/// <summary>
/// A refusal as Kubernetes tells it: the Status object and its HTTP code (apimachinery pkg/api/errors/errors.go).
/// All sentences that clients read are made here.
/// </summary>
public sealed record ApiStatus(int Code, string Reason, string Message)
{
    /// <summary>The resource (<c>services</c>), or the kind (<c>Service</c>) when the object is invalid.</summary>
    public string Kind { get; init; } = "";

    public string Group { get; init; } = "";

    public string Name { get; init; } = "";

    public IReadOnlyList<Cause> Causes { get; init; } = [];

    public int RetryAfterSeconds { get; init; }

    public static ApiStatus BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiStatus Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiStatus Impersonation() => new(403, "Forbidden", "impersonation is not in this version");

    public static ApiStatus Forbidden(Resource resource, string name, string why) =>
        About(resource, name, new(403, "Forbidden", $"{resource.Qualified} \"{name}\" is forbidden: {why}"));

    public static ApiStatus NamespaceTerminating(Resource resource, string name, string ns) =>
        Forbidden(resource, name, $"unable to create new content in namespace {ns} because it is being terminated") with
        {
            Causes = [new("NamespaceTerminating", "metadata.namespace", $"namespace {ns} is being terminated")],
        };

    public static ApiStatus NotFound(Resource resource, string name) =>
        About(resource, name, new(404, "NotFound", $"{resource.Qualified} \"{name}\" not found"));

    public static ApiStatus NoSuchResource() => new(404, "NotFound", "the server could not find the requested resource");

    /// <summary>A kind that Kubernetes has, perhaps, and Mesh has not.</summary>
    public static ApiStatus NotServed(string plural, string apiVersion) =>
        new(404, "NotFound", $"the server could not find the requested resource: \"{plural}\" in version \"{apiVersion}\" are not served; docs/differences.md tells what is");

    public static ApiStatus MethodNotAllowed(string message) => new(405, "MethodNotAllowed", message);

    public static ApiStatus NotAcceptable() =>
        new(406, "NotAcceptable", "only the following media types are accepted: application/json");

    public static ApiStatus AlreadyExists(Resource resource, string name) =>
        About(resource, name, new(409, "AlreadyExists", $"{resource.Qualified} \"{name}\" already exists"));

    public static ApiStatus Modified(Resource resource, string name) => Conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiStatus Conflict(Resource resource, string name, string why) => About(
        resource,
        name,
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource.Qualified} \"{name}\": {why}"));

    public static ApiStatus Expired(string message) => new(410, "Expired", message);

    public static ApiStatus TooLarge(string message) => new(413, "RequestEntityTooLarge", message);

    public static ApiStatus UnsupportedMediaType(string message) => new(415, "UnsupportedMediaType", message);

    public static ApiStatus Invalid(Resource resource, string name, IReadOnlyList<Cause> causes)
    {
        var all = causes.Count == 1 ? causes[0].ToString() : $"[{string.Join(", ", causes)}]";
        return new(422, "Invalid", $"{resource.QualifiedKind} \"{name}\" is invalid: {all}")
        {
            Kind = resource.Kind,
            Group = resource.Group,
            Name = name,
            Causes = causes,
        };
    }

    /// <summary>A request option or patch that cannot be; no object of its own is at fault.</summary>
    public static ApiStatus InvalidOption(string field, string message) => new(422, "Invalid", $" \"\" is invalid: {field}: {message}")
    {
        Causes = [new("FieldValueInvalid", field, message)],
    };

    public static ApiStatus TooManyRequests(string message) => new(429, "TooManyRequests", message) { RetryAfterSeconds = 1 };

    public static ApiStatus Internal(string message) => new(500, "InternalError", $"Internal error occurred: {message}");

    public static ApiStatus NotImplemented(string message) => new(501, "NotImplemented", message);

    public static ApiStatus Unavailable(string message) => new(503, "ServiceUnavailable", message) { RetryAfterSeconds = 1 };

    public static ApiStatus Timeout(string message) => new(504, "Timeout", $"Timeout: {message}");

    public static ApiStatus ResourceVersionTooLarge(long asked, long current) => Timeout(
        $"Too large resource version: {asked}, current: {current}") with
    {
        Causes = [new("ResourceVersionTooLarge", "", "Too large resource version")],
        RetryAfterSeconds = 1,
    };

    public JsonObject ToJson()
    {
        var body = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
            ["reason"] = Reason,
        };
        if (Details() is { Count: > 0 } details)
        {
            body["details"] = details;
        }

        body["code"] = Code;
        return body;
    }

    private JsonObject Details()
    {
        var details = new JsonObject();
        AddText(details, "name", Name);
        AddText(details, "group", Group);
        AddText(details, "kind", Kind);
        if (Causes.Count > 0)
        {
            details["causes"] = new JsonArray([.. Causes.Select(ToJson)]);
        }

        if (RetryAfterSeconds > 0)
        {
            details["retryAfterSeconds"] = RetryAfterSeconds;
        }

        return details;
    }

    private static JsonObject ToJson(Cause cause)
    {
        var json = new JsonObject { ["reason"] = cause.Reason, ["message"] = cause.Message };
        AddText(json, "field", cause.Field);
        return json;
    }

    private static void AddText(JsonObject target, string name, string text)
    {
        if (text.Length > 0)
        {
            target[name] = text;
        }
    }

    private static ApiStatus About(Resource resource, string name, ApiStatus status) =>
        status with { Kind = resource.Plural, Group = resource.Group, Name = name };
}

using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Registrations;

/// <summary>Why something that was asked for is not done, in the terms of a Kubernetes Status.</summary>
internal sealed record Refusal(int Code, string Reason, string Message)
{
    /// <summary>The header of that name, where the answer has one.</summary>
    public string? Allow { get; private init; }

    public static Refusal BadRequest(string message) => new(StatusCodes.Status400BadRequest, "BadRequest", message);

    public static Refusal Forbidden(string message) => new(StatusCodes.Status403Forbidden, "Forbidden", message);

    public static Refusal NotFound(string message) => new(StatusCodes.Status404NotFound, "NotFound", message);

    /// <param name="allow">The methods that are (RFC 9110, 15.5.6).</param>
    public static Refusal MethodNotAllowed(string message, string allow) =>
        new(StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", message) { Allow = allow };

    public static Refusal Conflict(string message) => new(StatusCodes.Status409Conflict, "AlreadyExists", message);

    public static Refusal TooLarge(string message) => new(StatusCodes.Status413PayloadTooLarge, "RequestEntityTooLarge", message);

    public static Refusal Invalid(string message) => new(StatusCodes.Status422UnprocessableEntity, "Invalid", message);

    public static Refusal TooMany(string message) => new(StatusCodes.Status429TooManyRequests, "TooManyRequests", message);

    public static Refusal Unavailable(string message) => new(StatusCodes.Status503ServiceUnavailable, "ServiceUnavailable", message);
}

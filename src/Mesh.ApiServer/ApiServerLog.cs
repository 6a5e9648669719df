using Microsoft.Extensions.Logging;

namespace Mesh.ApiServer;

/// <summary>Every line that the API logs. Writes are told when debugging: a silo that is well is quiet.</summary>
internal static partial class ApiServerLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Verb} {Resource} {Ns}/{Name} by {Manager}: {Code} {Reason}")]
    public static partial void Written(
        this ILogger logger, string verb, string resource, string ns, string name, string manager, int code, string reason);

    [LoggerMessage(2, LogLevel.Debug, "{Verb} {Path}: {Code} {Reason}: {Why}")]
    public static partial void Refused(this ILogger logger, string verb, string path, int code, string reason, string why);

    [LoggerMessage(3, LogLevel.Warning, "A request without the right bearer token was refused: {Verb} {Path} from {Address}")]
    public static partial void Unauthorized(this ILogger logger, string verb, string path, string address);

    [LoggerMessage(4, LogLevel.Error, "{Verb} {Path} failed")]
    public static partial void Failed(this ILogger logger, Exception exception, string verb, string path);

    [LoggerMessage(5, LogLevel.Warning, "A {Kind} that Mesh keeps itself could not be written yet: {Why}")]
    public static partial void NotCreated(this ILogger logger, string kind, string why);

    [LoggerMessage(6, LogLevel.Warning, "A request that wants to be taken for another user was refused: {Verb} {Path} with {Header}")]
    public static partial void Impersonating(this ILogger logger, string verb, string path, string header);
}

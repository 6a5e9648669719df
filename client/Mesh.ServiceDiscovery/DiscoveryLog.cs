using Microsoft.Extensions.Logging;

namespace Mesh.ServiceDiscovery;

internal static partial class DiscoveryLog
{
    [LoggerMessage(EventId = 6201, Level = LogLevel.Warning, Message = "The node at {Node} does not tell of Service {Service}: {Reason}; {Meanwhile}")]
    public static partial void Away(this ILogger log, string node, string service, string reason, string meanwhile);

    [LoggerMessage(EventId = 6202, Level = LogLevel.Information, Message = "The node tells of Service {Service} again")]
    public static partial void Back(this ILogger log, string service);

    [LoggerMessage(EventId = 6203, Level = LogLevel.Debug, Message = "{Why} The name is left to the next provider")]
    public static partial void Missing(this ILogger log, string why);

    [LoggerMessage(EventId = 6204, Level = LogLevel.Warning, Message = "This process calls {Count} names that may be Services; {Name} and further ones are left to DNS")]
    public static partial void TooMany(this ILogger log, int count, string name);

    [LoggerMessage(EventId = 6206, Level = LogLevel.Warning, Message = "{Why} The name is left to DNS; with a dot behind it, it is not asked for at the node")]
    public static partial void LeftToDns(this ILogger log, string why);

    [LoggerMessage(EventId = 6205, Level = LogLevel.Error, Message = "Who follows Service {Service} failed on a change of it")]
    public static partial void FollowerFailed(this ILogger log, Exception cause, string service);

    [LoggerMessage(EventId = 6207, Level = LogLevel.Warning, Message = "The node at {Node} takes no more watches: {Reason}; it is asked every {Seconds} s or so instead")]
    public static partial void NoRoom(this ILogger log, string node, string reason, double seconds);
}

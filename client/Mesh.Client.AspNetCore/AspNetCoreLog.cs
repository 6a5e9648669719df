using Microsoft.Extensions.Logging;

namespace Mesh.Client.AspNetCore;

internal static partial class AspNetCoreLog
{
    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "The node at {Node} gave no address within {Seconds} s; the server binds as configured")]
    public static partial void NotAllocated(this ILogger log, string node, double seconds);
}

using Microsoft.Extensions.Logging;

namespace Mesh.Client.AspNetCore;

internal static partial class AspNetCoreLog
{
    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "The node at {Node} gave no address within {Seconds} s; the server binds as configured")]
    public static partial void NotAllocated(this ILogger log, string node, double seconds);

    [LoggerMessage(EventId = 6102, Level = LogLevel.Warning, Message = "A Pod has one address: {LeftOut} takes no traffic through Mesh, as the Pod is at '{Address}'")]
    public static partial void LeftOut(this ILogger log, string leftOut, string address);
}

using Microsoft.Extensions.Logging;

namespace Mesh.Client.AspNetCore;

internal static partial class AspNetCoreLog
{
    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "The node at {Node} gave no address within {Seconds} s; the server binds as configured")]
    public static partial void NotAllocated(this ILogger log, string node, double seconds);

    [LoggerMessage(EventId = 6102, Level = LogLevel.Warning, Message = "A Pod has one address: {LeftOut} takes no traffic through Mesh, as the Pod is at '{Address}'")]
    public static partial void LeftOut(this ILogger log, string leftOut, string address);

    [LoggerMessage(EventId = 6103, Level = LogLevel.Warning, Message = "{Service} cannot be served while this process listens on every address at port {Port}; MESH_ADDRESS=allocate gives it an address of its own")]
    public static partial void Excludes(this ILogger log, string service, int port);

    [LoggerMessage(EventId = 6104, Level = LogLevel.Error, Message = "Port {Port} of every address cannot be had beside {Service}; MESH_ADDRESS=allocate gives this process an address of its own")]
    public static partial void Excluded(this ILogger log, string service, int port);
}

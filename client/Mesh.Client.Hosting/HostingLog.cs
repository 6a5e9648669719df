using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Hosting;

internal static partial class HostingLog
{
    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "The node at {Node} gave no address within {Seconds} s; the server binds as configured")]
    public static partial void NotAllocated(this ILogger log, string node, double seconds);

    [LoggerMessage(EventId = 6102, Level = LogLevel.Warning, Message = "A Pod has one address: {LeftOut} takes no traffic through Mesh, as the Pod is at '{Address}'")]
    public static partial void LeftOut(this ILogger log, string leftOut, string address);

    [LoggerMessage(EventId = 6103, Level = LogLevel.Warning, Message = "{Service} cannot be served while this process listens on every address at port {Port}; MESH_ADDRESS=allocate gives it an address of its own")]
    public static partial void Excludes(this ILogger log, string service, int port);

    [LoggerMessage(EventId = 6104, Level = LogLevel.Error, Message = "Port {Port} of every address cannot be had beside {Service}; MESH_ADDRESS=allocate gives this process an address of its own")]
    public static partial void Excluded(this ILogger log, string service, int port);

    [LoggerMessage(EventId = 6105, Level = LogLevel.Warning, Message = "The ports of this host's web server are not known to Mesh: call AddMesh of the WebApplicationBuilder, or AddMeshServer of its services (package Mesh.Client.AspNetCore), or name them in Mesh:Ports")]
    public static partial void UnknownServer(this ILogger log);

    [LoggerMessage(EventId = 6106, Level = LogLevel.Warning, Message = "Changed settings of Mesh are not usable, and nothing is changed: {Problems}")]
    public static partial void NotReloaded(this ILogger log, string problems);

    [LoggerMessage(EventId = 6107, Level = LogLevel.Warning, Message = "The server cannot listen at {Allocated}, which the node gave, and binds {Configured} as configured: {Reason}")]
    public static partial void NotBoundThere(this ILogger log, EndPoint allocated, EndPoint configured, string reason);
}

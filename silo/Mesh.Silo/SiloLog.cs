namespace Mesh.Silo;

/// <summary>Every log line of the process mesh-silo itself.</summary>
internal static partial class SiloLog
{
    [LoggerMessage(1, LogLevel.Debug, "mesh-node {Pid} started")]
    public static partial void NodeStarted(this ILogger log, int pid);

    [LoggerMessage(2, LogLevel.Debug, "mesh-node {Pid} lives and is kept")]
    public static partial void NodeTakenOver(this ILogger log, int pid);

    [LoggerMessage(3, LogLevel.Warning, "mesh-node {Pid} {How}; it is started again")]
    public static partial void NodeEnded(this ILogger log, int pid, string how);

    [LoggerMessage(4, LogLevel.Error, "mesh-node could not be started")]
    public static partial void NodeNotStarted(this ILogger log, Exception failure);

    [LoggerMessage(5, LogLevel.Information, "mesh-node {Pid} is of build {Build} and is replaced by {Own}")]
    public static partial void NodeReplaced(this ILogger log, int pid, string build, string own);

    [LoggerMessage(6, LogLevel.Warning, "mesh-node {Pid} did not drain in time and was killed")]
    public static partial void NodeKilled(this ILogger log, int pid);

    [LoggerMessage(7, LogLevel.Debug, "Link {Session} is not this node's newest and is closed")]
    public static partial void LinkSuperseded(this ILogger log, string session);

    [LoggerMessage(8, LogLevel.Warning, "mesh-node came with incarnation {Incarnation}, but was known by {Known}: its journal was lost or is an old one; it counts on from there")]
    public static partial void NodeOutnumbered(this ILogger log, uint incarnation, uint known);

    [LoggerMessage(9, LogLevel.Warning, "A TLS handshake with the API failed: {Reason} The certificate is valid from {NotBefore} to {NotAfter}, this machine's clock says {Now}. {Unsaid} more failed since the last such line.")]
    public static partial void HandshakeFailed(this ILogger log, string reason, string notBefore, string notAfter, string now, int unsaid);

    [LoggerMessage(10, LogLevel.Debug, "mesh-node {Pid} {How}, as before; it is started again")]
    public static partial void NodeEndedAgain(this ILogger log, int pid, string how);
}

using Microsoft.Extensions.Logging;

namespace Mesh.Grains;

/// <summary>Every log line of the grains.</summary>
internal static partial class GrainsLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Publisher}: a message to receiver {Receiver} was not acknowledged, sent again")]
    public static partial void NotAcknowledged(this ILogger log, string publisher, string receiver, Exception failure);

    [LoggerMessage(2, LogLevel.Debug, "{Receiver}: its publisher did not answer, asked again")]
    public static partial void NotAnswered(this ILogger log, string receiver, Exception failure);

    [LoggerMessage(3, LogLevel.Warning, "{Pod} cannot be read and is no endpoint: {Reason}")]
    public static partial void PodUnreadable(this ILogger log, string pod, string reason);

    [LoggerMessage(4, LogLevel.Debug, "{Registry}: node {Node} was not reached for its inventory")]
    public static partial void NotHinted(this ILogger log, string registry, string node, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "{Service} cannot be read and is not served: {Reason}")]
    public static partial void ServiceUnreadable(this ILogger log, string service, string reason);

    [LoggerMessage(6, LogLevel.Debug, "{Object}: its projection was not written, tried again: {Reason}")]
    public static partial void ProjectionFailed(this ILogger log, string @object, string reason);

    [LoggerMessage(101, LogLevel.Information, "Gateway {Gateway} ended: {Reason}")]
    public static partial void GatewayEnded(this ILogger log, string gateway, string reason);

    [LoggerMessage(102, LogLevel.Debug, "Node {Node}: its grain was not told that the link lives")]
    public static partial void NodeNotTold(this ILogger log, string node, Exception failure);

    [LoggerMessage(103, LogLevel.Warning, "Node {Node} was not written, tried again: {Reason}")]
    public static partial void NodeNotWritten(this ILogger log, string node, string reason);
}

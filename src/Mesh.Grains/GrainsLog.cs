using Mesh.Core.Names;
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

    [LoggerMessage(101, LogLevel.Information, "Gateway {Gateway} ended with its link")]
    public static partial void GatewayEnded(this ILogger log, string gateway);

    [LoggerMessage(102, LogLevel.Debug, "Node {Node}: its grain was not told that the link lives")]
    public static partial void NodeNotTold(this ILogger log, string node, Exception failure);

    [LoggerMessage(103, LogLevel.Warning, "Node {Node} was not written, tried again: {Reason}")]
    public static partial void NodeNotWritten(this ILogger log, string node, string reason);

    [LoggerMessage(104, LogLevel.Debug, "Pod {Pod}: the registry was not told, asked again by the Keeper")]
    public static partial void PodNotPublished(this ILogger log, NamespacedName pod, Exception failure);

    [LoggerMessage(105, LogLevel.Debug, "A report of a node was not taken, tried again")]
    public static partial void ReportNotTaken(this ILogger log, Exception failure);

    [LoggerMessage(106, LogLevel.Warning, "Node {Node} linked, but its grain does not answer; its Node object follows later")]
    public static partial void NodeNotOpened(this ILogger log, string node);

    [LoggerMessage(107, LogLevel.Debug, "Keeper: {Kind} {Key} did not answer, asked again")]
    public static partial void NotWoken(this ILogger log, string kind, string key, Exception failure);

    [LoggerMessage(108, LogLevel.Warning, "Keeper: sweeping the store failed, tried again")]
    public static partial void SweepFailed(this ILogger log, Exception failure);

    [LoggerMessage(109, LogLevel.Information, "Namespace {Namespace} is empty and removed")]
    public static partial void NamespaceRemoved(this ILogger log, string @namespace);

    [LoggerMessage(110, LogLevel.Debug, "Event {Reason} about {Object} dropped: too many wait")]
    public static partial void EventDropped(this ILogger log, ObjectKey @object, string reason);

    [LoggerMessage(111, LogLevel.Debug, "Event {Reason} about {Object} was not written")]
    public static partial void EventNotWritten(this ILogger log, ObjectKey @object, string reason, Exception failure);

    [LoggerMessage(113, LogLevel.Debug, "What node {Node} said that it holds in {Namespace} was not taken; its next digest tells")]
    public static partial void HeldPodsNotTaken(this ILogger log, string node, string @namespace, Exception failure);

    [LoggerMessage(114, LogLevel.Information, "Node {Node} holds other Pods in {Namespace} than its registry knows: asked for its inventory")]
    public static partial void HeldPodsDiffer(this ILogger log, string node, string @namespace);

    [LoggerMessage(115, LogLevel.Debug, "Gateway {Gateway} was not reached, started with the next pulse")]
    public static partial void GatewayNotStarted(this ILogger log, string gateway, Exception failure);

    [LoggerMessage(116, LogLevel.Warning, "The grain of node {Node} does not say by which incarnation it was known; the node links all the same, or again")]
    public static partial void NodeNotAsked(this ILogger log, string node, Exception failure);

    [LoggerMessage(117, LogLevel.Error, "{Kind} {Name}: what follows from its change met an exception; the next sweep tries again")]
    public static partial void StepFailed(this ILogger log, string kind, string name, Exception failure);
}

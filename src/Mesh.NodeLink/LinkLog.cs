using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink;

internal static partial class LinkLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} (build {Build}, pid {Pid}) linked as session {Session}.")]
    public static partial void NodeLinked(this ILogger logger, string node, string build, int pid, string session);

    [LoggerMessage(2, LogLevel.Information, "The link session {Session} of node {Node} ended: {Reason}")]
    public static partial void SessionEnded(this ILogger logger, string session, string node, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Report {Number} of Pod {Namespace}/{Name} could not be handled; the node will repeat it.")]
    public static partial void ReportFailed(this ILogger logger, Exception cause, ulong number, string @namespace, string name);

    [LoggerMessage(4, LogLevel.Error, "The handler of link session {Session} failed; the node will link again.")]
    public static partial void SessionHandlerFailed(this ILogger logger, Exception cause, string session);

    [LoggerMessage(5, LogLevel.Error, "Link session {Session} met an exception; the node will link again.")]
    public static partial void SessionFailed(this ILogger logger, Exception cause, string session);

    [LoggerMessage(10, LogLevel.Information, "Linked to the silo, session {Session}.")]
    public static partial void Linked(this ILogger logger, string session);

    [LoggerMessage(11, LogLevel.Warning, "The link to the silo is lost: {Reason} This machine routes on by what it knows.")]
    public static partial void LinkLost(this ILogger logger, string reason);

    [LoggerMessage(12, LogLevel.Error, "A change from the silo was left out, as it cannot be read: {Reason}")]
    public static partial void ChangeUnreadable(this ILogger logger, string reason);

    [LoggerMessage(20, LogLevel.Warning, "The journal {Path} ended in {Bytes} torn bytes, which were cut.")]
    public static partial void JournalTorn(this ILogger logger, string path, long bytes);

    [LoggerMessage(21, LogLevel.Error, "The journal {Path} cannot be written; registrations are refused until it can: {Reason}")]
    public static partial void JournalFailed(this ILogger logger, string path, string reason);

    [LoggerMessage(22, LogLevel.Debug, "The journal {Path} was compacted from {Before} to {After} bytes.")]
    public static partial void JournalCompacted(this ILogger logger, string path, long before, long after);
}

using Microsoft.Extensions.Logging;

namespace Mesh.Agent;

internal static partial class AgentLog
{
    [LoggerMessage(5001, LogLevel.Information, "Pod {Pod} ({Uid}) registered at {Address}.")]
    public static partial void Registered(this ILogger logger, string pod, string uid, string address);

    [LoggerMessage(5002, LogLevel.Information, "Pod {Pod} ({Uid}) ended: {Reason}")]
    public static partial void Ended(this ILogger logger, string pod, string uid, string reason);

    [LoggerMessage(5003, LogLevel.Information, "Pod {Pod} is {Readiness}. {Why}")]
    public static partial void ReadinessChanged(this ILogger logger, string pod, string readiness, string why);

    [LoggerMessage(5004, LogLevel.Warning, "The silo does not take Pod {Pod}: {Why}")]
    public static partial void NotTaken(this ILogger logger, string pod, string why);

    [LoggerMessage(5006, LogLevel.Information, "{Count} registrations of the node's last run wait for their streams.")]
    public static partial void Restored(this ILogger logger, int count);

    [LoggerMessage(5007, LogLevel.Warning, "Pod {Pod} of this node cannot be read: {Why}")]
    public static partial void PodUnreadable(this ILogger logger, string pod, string why);

    [LoggerMessage(5010, LogLevel.Warning, "A probe of {Address} failed in an unexpected way.")]
    public static partial void ProbeFailed(this ILogger logger, Exception cause, string address);

    [LoggerMessage(5012, LogLevel.Error, "The result of a probe of {Address} could not be told; the next one tells it.")]
    public static partial void ProbeNotTold(this ILogger logger, Exception cause, string address);

    [LoggerMessage(5013, LogLevel.Warning, "The node cannot make probes now, which says nothing of its Pods: {Why}")]
    public static partial void ProbeNotTried(this ILogger logger, string why);

    [LoggerMessage(5020, LogLevel.Information, "Registrations are taken at {Where}.")]
    public static partial void Listening(this ILogger logger, string where);

    [LoggerMessage(5021, LogLevel.Warning, "A request from uid {Uid} was refused: {Why}; {Times} such since this was last said")]
    public static partial void PeerRefused(this ILogger logger, string uid, string why, int times);

    [LoggerMessage(5022, LogLevel.Error, "A request to {Path} failed.")]
    public static partial void RequestFailed(this ILogger logger, Exception cause, string path);

    [LoggerMessage(5023, LogLevel.Information, "A watch of Service {Service} by a process of uid {Uid} was ended: it took nothing for {Seconds} s.")]
    public static partial void WatchStalled(this ILogger logger, string service, uint uid, double seconds);
}

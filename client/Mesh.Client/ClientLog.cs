using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

internal static partial class ClientLog
{
    [LoggerMessage(EventId = 6001, Level = LogLevel.Information, Message = "Registered as Pod {Namespace}/{Name} at {Address}")]
    public static partial void Registered(this ILogger log, string @namespace, string name, IPAddress address);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Information, Message = "Registered again as Pod {Namespace}/{Name} at {Address}")]
    public static partial void RegisteredAgain(this ILogger log, string @namespace, string name, IPAddress address);

    [LoggerMessage(EventId = 6003, Level = LogLevel.Warning, Message = "Not registered with the node at {Node}: {Reason}; it is tried again")]
    public static partial void Detached(this ILogger log, string node, string reason);

    [LoggerMessage(EventId = 6004, Level = LogLevel.Warning, Message = "Pod {Namespace}/{Name} was deleted; {Then}")]
    public static partial void Deleted(this ILogger log, string @namespace, string name, string then);

    [LoggerMessage(EventId = 6005, Level = LogLevel.Warning, Message = "The node refused a change of Pod {Namespace}/{Name}: {Reason}")]
    public static partial void ChangeRefused(this ILogger log, string @namespace, string name, string reason);

    [LoggerMessage(EventId = 6007, Level = LogLevel.Error, Message = "The loop '{Loop}' of Mesh ended unexpectedly and runs again in {Pause} ms; {Times} such ends since this was last said")]
    public static partial void LoopEnded(this ILogger log, Exception cause, string loop, double pause, int times);

    [LoggerMessage(EventId = 6006, Level = LogLevel.Information, Message = "The node is back; Pod {Namespace}/{Name} goes on")]
    public static partial void StreamResumed(this ILogger log, string @namespace, string name);
}

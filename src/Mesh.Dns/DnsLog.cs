using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

internal static partial class DnsLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Debug, Message = "DNS listens on {EndPoint}, UDP and TCP")]
    public static partial void Listening(this ILogger log, IPEndPoint endPoint);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "DNS could not receive or send on {EndPoint}: {Error}; {Times} times since this was last said")]
    public static partial void SocketFailed(this ILogger log, IPEndPoint endPoint, string error, int times);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Error, Message = "A question over TCP met an exception, and its connection was closed; {Times} since this was last said")]
    public static partial void QuestionFailed(this ILogger log, int times, Exception failure);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Error, Message = "A question over UDP met an exception, and was not answered; {Times} since this was last said")]
    public static partial void PacketFailed(this ILogger log, int times, Exception failure);
}

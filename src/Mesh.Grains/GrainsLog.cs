using Microsoft.Extensions.Logging;

namespace Mesh.Grains;

/// <summary>Every log line of the grains.</summary>
internal static partial class GrainsLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Publisher}: a message to receiver {Receiver} was not acknowledged, sent again")]
    public static partial void NotAcknowledged(this ILogger log, string publisher, string receiver, Exception failure);

    [LoggerMessage(2, LogLevel.Debug, "{Receiver}: its publisher did not answer, asked again")]
    public static partial void NotAnswered(this ILogger log, string receiver, Exception failure);
}

using Microsoft.Extensions.Logging;

namespace Mesh.Loops;

internal static partial class LoopsLog
{
    [LoggerMessage(1, LogLevel.Error, "The loop '{Loop}' ended unexpectedly ({Why}) and runs again in {Pause} ms; {Times} such ends since this was last said")]
    public static partial void LoopEnded(this ILogger log, string loop, string why, double pause, int times, Exception? failure);

    [LoggerMessage(2, LogLevel.Critical, "The loop '{Loop}' ended unexpectedly ({Why}), and so does this process")]
    public static partial void LoopEndsProcess(this ILogger log, string loop, string why, Exception? failure);

    [LoggerMessage(3, LogLevel.Information, "The loop '{Loop}' was stopped while it met an exception ({Why})")]
    public static partial void LoopFailedAtStop(this ILogger log, string loop, string why);
}

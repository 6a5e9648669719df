using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>One line for each request.</summary>
internal static class AccessLog
{
    public static void Write(ILogger log, Exchange exchange, TimeSpan duration)
    {
        if (!log.IsEnabled(LogLevel.Information))
        {
            return;
        }

        var request = exchange.Http.Request;
        DataPlaneLog.Access(
            log,
            request.Method,
            exchange.HostSent,
            exchange.Path.ToString(),
            StatusOf(exchange),
            Math.Round(duration.TotalMilliseconds, 3),
            exchange.Match?.Route ?? "-",
            exchange.Service?.ToString() ?? "-",
            exchange.Target?.Endpoint.Pod.ToString() ?? "-",
            exchange.Attempts,
            exchange.Refusal?.Reason.ToString() ?? "-",
            exchange.Refusal?.Detail ?? "-",
            exchange.ClientAddress,
            exchange.Span?.TraceId.ToHexString() ?? exchange.RequestId);
    }

    /// <summary>The status that the client got, or 499 when it was no longer there to get one.</summary>
    public static int StatusOf(Exchange exchange) =>
        exchange.Refusal is { Status: Refusal.ClientClosedRequest } ? Refusal.ClientClosedRequest : exchange.Http.Response.StatusCode;
}

using System.Collections;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.L7;

/// <summary>One line for each request.</summary>
internal static class AccessLog
{
    private static readonly EventId Access = new(1, "Access");

    public static void Write(ILogger log, Exchange exchange, TimeSpan duration)
    {
        if (log.IsEnabled(LogLevel.Information))
        {
            log.Log(LogLevel.Information, Access, new Line(exchange, Math.Round(duration.TotalMilliseconds, 3)), null, static (line, _) => line.ToString());
        }
    }

    /// <summary>The status that the client got, or 499 when it was no longer there to get one.</summary>
    public static int StatusOf(Exchange exchange) =>
        exchange.Refusal is { Status: Refusal.ClientClosedRequest } ? Refusal.ClientClosedRequest : exchange.Http.Response.StatusCode;

    /// <summary>
    /// The fields, by name and as one line of text. LoggerMessage would make the text also where only the fields are
    /// written; this is written once for each request, so that counts. It has no template, so its fields are all of it.
    /// </summary>
    private readonly struct Line(Exchange exchange, double milliseconds) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        private const string None = "-";
        private const int LongestUserAgent = 256;

        private string UserAgent => exchange.Http.Request.Headers.UserAgent.ToString() switch
        {
            { Length: 0 } => None,
            { Length: > LongestUserAgent } agent => agent[..LongestUserAgent],
            var agent => agent,
        };

        public int Count => 18;

        public KeyValuePair<string, object?> this[int index] => index switch
        {
            0 => new("method", exchange.Http.Request.Method),
            1 => new("host", exchange.HostSent),
            2 => new("path", exchange.PathSent),
            3 => new("code", StatusOf(exchange)),
            4 => new("dur_ms", milliseconds),
            5 => new("route", exchange.Match?.Route ?? None),
            6 => new("service", exchange.Service?.ToString() ?? None),
            7 => new("pod", exchange.Target?.Endpoint.Pod.ToString() ?? None),
            8 => new("attempts", exchange.Attempts),
            9 => new("reason", exchange.Refusal?.Reason.ToString() ?? None),
            10 => new("detail", exchange.Refusal?.Detail ?? None),
            11 => new("client", exchange.ClientAddress),
            12 => new("protocol", exchange.Http.Request.Protocol),
            13 => new("request_bytes", exchange.BytesReceived),
            14 => new("response_bytes", exchange.BytesSent),
            15 => new("user_agent", UserAgent),
            16 => new("trace_id", exchange.RequestId), // the trace's own id while tracing
            17 => new("tls", exchange.Tls?.Version ?? None),
            _ => throw new UnreachableException(),
        };

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            for (var i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{this[0].Value} {this[1].Value}{this[2].Value} {this[3].Value} {milliseconds} ms route={this[5].Value} service={this[6].Value} pod={this[7].Value} attempts={exchange.Attempts} reason={this[9].Value} detail={this[10].Value} client={this[11].Value} protocol={this[12].Value} request_bytes={exchange.BytesReceived} response_bytes={exchange.BytesSent} user_agent=\"{UserAgent.Replace("\"", "'", StringComparison.Ordinal)}\" trace_id={this[16].Value} tls={this[17].Value}");
    }
}

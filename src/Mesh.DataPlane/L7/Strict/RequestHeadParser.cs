using Mesh.Core.Routing;
using Microsoft.AspNetCore.Http;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>
/// Reads the head of an HTTP/1 request to decide whether it says one thing to everybody: anything that two parsers read
/// differently is refused (RFC 9112 §11.2, request smuggling). It decides on bytes, since Kestrel repairs before it shows.
/// </summary>
internal static class RequestHeadParser
{
    private const int MaxLeadingLines = 16;

    public static RequestHead Parse(ReadOnlySpan<byte> data, IngressOptions limits)
    {
        var at = 0;
        // RFC 9112 §2.2: at least one empty line before the request line is ignored.
        while (data[at..].StartsWith("\r\n"u8))
        {
            at += 2;
            if (at > 2 * MaxLeadingLines)
            {
                return Malformed("too many empty lines before the request line");
            }
        }

        if (data[at..] is [(byte)'\r'] or [])
        {
            return RequestHead.Incomplete;
        }

        var fields = new RequestFields(limits);
        var headers = 0;
        for (var first = true; ; first = false)
        {
            var rest = data[at..];
            var feed = rest.IndexOf((byte)'\n');
            if (TooLong(first, feed < 0 ? rest.Length : feed, at - headers, limits) is { } tooLong)
            {
                return RequestHead.Refused(tooLong);
            }

            if (feed < 0)
            {
                return Early(rest, first) is { } wrong ? RequestHead.Refused(wrong) : RequestHead.Incomplete;
            }

            if (feed == 0 || rest[feed - 1] != '\r')
            {
                return Malformed("a line ends in a bare line feed");
            }

            var line = rest[..(feed - 1)];
            at += feed + 1;
            if (first)
            {
                headers = at;
            }

            if (!first && line.IsEmpty)
            {
                return fields.Finish(data[..at]);
            }

            if ((first ? fields.ReadRequestLine(line) : fields.ReadHeader(line)) is { } refusal)
            {
                return RequestHead.Refused(refusal);
            }
        }
    }

    private static Refusal? TooLong(bool first, int line, int headerBytes, IngressOptions limits)
    {
        if (first)
        {
            return line > limits.MaxRequestLine
                ? Refusal.Of(RefusalReason.TargetTooLong, $"the request line is longer than {limits.MaxRequestLine} bytes")
                : null;
        }

        return headerBytes + line > limits.MaxHeaderBytes
            ? Refusal.Of(RefusalReason.HeadersTooLarge, $"the headers are larger than {limits.MaxHeaderBytes} bytes")
            : null;
    }

    /// <summary>Noise, TLS and HTTP/2 are refused by their first bytes, without waiting for a line to end.</summary>
    private static Refusal? Early(ReadOnlySpan<byte> line, bool isRequestLine)
    {
        var probe = line.EndsWith("\r"u8) ? line[..^1] : line;
        return isRequestLine && probe.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? Refusal.Malformed("the request line has bytes that no HTTP/1.1 request line has; is this TLS?")
            : null;
    }

    private static RequestHead Malformed(string detail) =>
        RequestHead.Refused(new Refusal(RefusalReason.MalformedRequest, detail, StatusCodes.Status400BadRequest));
}

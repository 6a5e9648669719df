using Mesh.Core.Routing;
using Microsoft.AspNetCore.Http;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>The fields of one head that decide its framing and its authority, gathered line by line.</summary>
internal ref struct RequestFields(IngressOptions limits)
{
    private const int MaxConnectionOptions = 32;

    private bool _isHttp10;
    private bool _mustHaveLength;
    private ReadOnlySpan<byte> _origin; // of an absolute-form target: scheme and authority
    private ReadOnlySpan<byte> _targetAuthority;
    private ReadOnlySpan<byte> _host;
    private int _hosts;
    private int _headers;
    private int _lengths;
    private int _codings;
    private int _contentTypes;
    private long _contentLength;
    private string? _connectionOptions;

    public Refusal? ReadRequestLine(ReadOnlySpan<byte> line)
    {
        var space = line.IndexOf((byte)' ');
        var end = line.LastIndexOf((byte)' ');
        if (space <= 0 || end <= space + 1)
        {
            return Refusal.Malformed("the request line is not 'method target version'");
        }

        var version = line[(end + 1)..];
        if (!version.SequenceEqual("HTTP/1.1"u8) && !version.SequenceEqual("HTTP/1.0"u8))
        {
            return version.StartsWith("HTTP/"u8)
                ? Refusal.Malformed("only HTTP/1.0 and HTTP/1.1 are spoken here", StatusCodes.Status505HttpVersionNotsupported)
                : Refusal.Malformed("the request line does not end in an HTTP version");
        }

        _isHttp10 = version[^1] == '0';
        return ReadMethod(line[..space]) ?? ReadTarget(line[..space], line[(space + 1)..end]);
    }

    public Refusal? ReadHeader(ReadOnlySpan<byte> line)
    {
        if (++_headers > limits.MaxHeaders)
        {
            return Refusal.Of(RefusalReason.HeadersTooLarge, $"there are more than {limits.MaxHeaders} header lines");
        }

        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(HttpBytes.Token))
        {
            return Refusal.Malformed("a header line does not begin with a field name and a colon");
        }

        var value = line[(colon + 1)..];
        return value.ContainsAnyExcept(HttpBytes.FieldValue)
            ? Refusal.Malformed("a header value has a control character")
            : ReadField(line[..colon], HttpBytes.TrimOws(value));
    }

    /// <param name="head">All of it, with the empty line.</param>
    public readonly RequestHead Finish(ReadOnlySpan<byte> head)
    {
        if (_hosts == 0 && !_isHttp10)
        {
            return RequestHead.Refused(Refusal.Malformed("there is no Host header"));
        }

        if (_hosts > 0 && !Authority.IsValid(_host))
        {
            return RequestHead.Refused(Refusal.Malformed("the Host header is " + Authority.Wanted));
        }

        if (!_targetAuthority.IsEmpty && !HttpBytes.EqualsIgnoreCase(_targetAuthority, _host))
        {
            return RequestHead.Refused(Refusal.Malformed("the host of the request target is not that of the Host header"));
        }

        if (_codings > 0 && (_lengths > 0 || _isHttp10))
        {
            return RequestHead.Refused(Refusal.Malformed("Transfer-Encoding stands beside Content-Length, or in HTTP/1.0"));
        }

        if (_isHttp10 && _mustHaveLength && _lengths == 0)
        {
            return RequestHead.Refused(Refusal.Malformed("an HTTP/1.0 request with this method needs a Content-Length", StatusCodes.Status411LengthRequired));
        }

        var framing = _codings > 0 ? BodyFraming.Chunked : _contentLength > 0 ? BodyFraming.Length : BodyFraming.None;
        var hasEmptyPort = _host.EndsWith(":"u8);
        var plain = _origin.IsEmpty && !hasEmptyPort ? null : PlainHead.Of(head, _origin, hasEmptyPort ? _host[^1..] : default);
        return new RequestHead(head.Length, framing, _contentLength, _connectionOptions, plain, null);
    }

    private Refusal? ReadMethod(ReadOnlySpan<byte> method)
    {
        if (method.ContainsAnyExcept(HttpBytes.Token))
        {
            return Refusal.Malformed("the method is not a token");
        }

        if (method.ContainsAnyInRange((byte)'a', (byte)'z'))
        {
            // Methods are case-sensitive (RFC 9110 §9.1), but Kestrel reads "get" as GET.
            return Refusal.Malformed("the method has lower-case letters", StatusCodes.Status501NotImplemented);
        }

        if (method.SequenceEqual("TRACE"u8) || method.SequenceEqual("CONNECT"u8))
        {
            return Refusal.Of(RefusalReason.MethodNotAllowed, "TRACE and CONNECT are not allowed here");
        }

        _mustHaveLength = method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8) || method.SequenceEqual("PATCH"u8);
        return null;
    }

    private Refusal? ReadTarget(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target)
    {
        if (target.ContainsAnyExcept(HttpBytes.Target))
        {
            return Refusal.Malformed("the request target has bytes that must be percent-encoded");
        }

        var query = target.IndexOf((byte)'?');
        if ((query < 0 ? target : target[..query]).IndexOf("%00"u8) >= 0)
        {
            return Refusal.Malformed("the path has an encoded NUL"); // Kestrel refuses it too, without a word
        }

        if (target[0] == '/')
        {
            return null;
        }

        if (target is [(byte)'*'])
        {
            return method.SequenceEqual("OPTIONS"u8) ? null : Refusal.Malformed("the target '*' is for OPTIONS");
        }

        // absolute-form (RFC 9112 §3.2.2)
        var scheme = limits.IsTls ? "https://"u8 : "http://"u8;
        if (target.Length <= scheme.Length || !HttpBytes.EqualsIgnoreCase(target[..scheme.Length], scheme))
        {
            return Refusal.Malformed($"the request target is neither a path nor an {(limits.IsTls ? "https" : "http")}:// address");
        }

        var rest = target[scheme.Length..];
        var end = rest.IndexOfAny((byte)'/', (byte)'?');
        _targetAuthority = end < 0 ? rest : rest[..end];
        _origin = target[..(scheme.Length + _targetAuthority.Length)];
        return Authority.IsValid(_targetAuthority) ? null : Refusal.Malformed("the request target has no valid host");
    }

    private Refusal? ReadField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => name.Length switch
    {
        4 when HttpBytes.EqualsIgnoreCase(name, "Host"u8) => ReadHost(value),
        6 when HttpBytes.EqualsIgnoreCase(name, "Expect"u8) => HttpBytes.EqualsIgnoreCase(value, "100-continue"u8)
            ? null
            : Refusal.Malformed("only 'Expect: 100-continue' is understood", StatusCodes.Status417ExpectationFailed),
        10 when HttpBytes.EqualsIgnoreCase(name, "Connection"u8) => ReadConnection(value),
        12 when HttpBytes.EqualsIgnoreCase(name, "Content-Type"u8) => ++_contentTypes > 1
            ? Refusal.Malformed("there are two Content-Type headers")
            : null,
        14 when HttpBytes.EqualsIgnoreCase(name, "Content-Length"u8) => ReadContentLength(value),
        17 when HttpBytes.EqualsIgnoreCase(name, "Transfer-Encoding"u8) => ReadTransferEncoding(value),
        _ => null,
    };

    private Refusal? ReadHost(ReadOnlySpan<byte> value)
    {
        _host = value;
        return ++_hosts > 1 ? Refusal.Malformed("there are two Host headers") : null;
    }

    private Refusal? ReadConnection(ReadOnlySpan<byte> value)
    {
        if (value.Count((byte)',') >= MaxConnectionOptions)
        {
            return Refusal.Malformed($"Connection names more than {MaxConnectionOptions} headers");
        }

        if (!HttpBytes.EqualsIgnoreCase(value, "keep-alive"u8) && !HttpBytes.EqualsIgnoreCase(value, "close"u8) && !HttpBytes.EqualsIgnoreCase(value, "upgrade"u8))
        {
            _connectionOptions = $"{_connectionOptions},{System.Text.Encoding.Latin1.GetString(value)}";
        }

        return null;
    }

    private Refusal? ReadContentLength(ReadOnlySpan<byte> value)
    {
        // RFC 9112 §6.3 allows to merge equal values; two parsers do not agree on that, so one value it is.
        const int mostDigits = 18;
        var digits = value.TrimStart((byte)'0');
        if (++_lengths > 1 || value.IsEmpty || digits.Length > mostDigits || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return Refusal.Malformed("Content-Length is not one plain number");
        }

        foreach (var digit in digits)
        {
            _contentLength = (_contentLength * 10) + (digit - '0');
        }

        return null;
    }

    private Refusal? ReadTransferEncoding(ReadOnlySpan<byte> value)
    {
        if (++_codings == 1 && HttpBytes.EqualsIgnoreCase(value, "chunked"u8))
        {
            return null;
        }

        // A coding under the chunks would be lost, as they are taken off here (RFC 9112 §6.1: 501).
        var comma = value.IndexOf((byte)',');
        var isOtherCoding = _codings == 1 && comma > 0 && !value[..comma].ContainsAnyExcept(HttpBytes.Token)
            && !HttpBytes.EqualsIgnoreCase(value[..comma], "chunked"u8)
            && HttpBytes.EqualsIgnoreCase(HttpBytes.TrimOws(value[(comma + 1)..]), "chunked"u8);
        return isOtherCoding
            ? Refusal.Malformed("'chunked' is the only transfer coding understood here", StatusCodes.Status501NotImplemented)
            : Refusal.Malformed("Transfer-Encoding is not exactly 'chunked'");
    }
}

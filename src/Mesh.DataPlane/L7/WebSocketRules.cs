using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Mesh.DataPlane.L7;

/// <summary>What a request for a WebSocket must be like (RFC 6455 §4.2.1).</summary>
internal static class WebSocketRules
{
    private const int WebSocketKeyLength = 24; // 16 bytes in base64 (RFC 6455 §4.1)

    /// <summary>Whether the client asks for a WebSocket; every other upgrade is ignored (RFC 9110 §7.8 allows that).</summary>
    public static bool IsAsked(HttpRequest request) =>
        request.Headers.Upgrade.Count > 0 && Names(request.Headers.Upgrade, "websocket") && Names(request.Headers.Connection, "upgrade");

    public static Refusal? Check(HttpRequest request)
    {
        if (!HttpMethods.IsGet(request.Method) || request.Protocol != HttpProtocol.Http11 || request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0)
        {
            return Refusal.Malformed("a WebSocket begins with a GET of HTTP/1.1 without a body");
        }

        if (request.Headers.Upgrade.Count != 1 || !string.Equals(request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase))
        {
            return Refusal.Malformed("Upgrade names something besides websocket");
        }

        if (request.Headers.SecWebSocketVersion != "13")
        {
            return Refusal.Malformed("only version 13 of WebSocket is spoken here", StatusCodes.Status426UpgradeRequired);
        }

        var key = request.Headers.SecWebSocketKey;
        Span<byte> bytes = stackalloc byte[16];
        return key is [{ Length: WebSocketKeyLength } text] && Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length
            ? null
            : Refusal.Malformed("Sec-WebSocket-Key is not one key of 16 bytes in base64");
    }

    private static bool Names(StringValues header, string option)
    {
        foreach (var value in header)
        {
            foreach (var part in value.AsSpan().Split(','))
            {
                if (value.AsSpan(part).Trim().Equals(option, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}

using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>Which headers belong to one hop (RFC 9110 §7.6.1), which ones a client may not say, and which are the gateway's to say.</summary>
internal static class HeaderRules
{
    private static readonly string[] HopByHop =
    [
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
    ];

    private static readonly FrozenSet<string> NotForwarded = HopByHop.Concat(
    [
        "Host", "Expect", "Trailer", "Proxy-Authorization",
        "Proxy", // becomes HTTP_PROXY in CGI programs (httpoxy)
        "X-Content-Length",
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
        "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Scheme", "X-Real-IP", "X-Request-ID", "X-Original-Forwarded-For",
        "X-Original-URL", "X-Rewrite-URL",
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> NotReturned = HopByHop.Concat(["Trailer", "Alt-Svc"]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // What a Connection header cannot take away: framing, identity, authority and the way of the request.
    private static readonly FrozenSet<string> NotRemovable = FrozenSet.ToFrozenSet(
        ["Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Authorization", "Cookie", "traceparent", "tracestate", LoopRules.Header], StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> OrdinaryOptions = FrozenSet.ToFrozenSet(["keep-alive", "close", "upgrade"], StringComparer.OrdinalIgnoreCase);

    // Of a POST only: the gateway may send a GET twice, and takes it for safe, so it must not mean a DELETE at the endpoint.
    private static readonly FrozenSet<string> MethodOverrides = FrozenSet.ToFrozenSet(
        ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"], StringComparer.OrdinalIgnoreCase);

    public static bool IsMethodOverride(string name) => name.StartsWith("X-", StringComparison.OrdinalIgnoreCase) && MethodOverrides.Contains(name);

    public static bool IsForwarded(string name) => !NotForwarded.Contains(name) && !name.Contains('_', StringComparison.Ordinal);

    public static bool IsReturned(string name) => !NotReturned.Contains(name);

    /// <summary>The headers that a Connection header names for removal; null, and no allocation, in the ordinary case.</summary>
    public static HashSet<string>? Named(StringValues connection)
    {
        HashSet<string>? named = null;
        foreach (var value in connection)
        {
            if (value is null || OrdinaryOptions.Contains(value))
            {
                continue;
            }

            foreach (var option in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!OrdinaryOptions.Contains(option) && !NotRemovable.Contains(option))
                {
                    (named ??= new HashSet<string>(StringComparer.OrdinalIgnoreCase)).Add(option);
                }
            }
        }

        return named;
    }
}

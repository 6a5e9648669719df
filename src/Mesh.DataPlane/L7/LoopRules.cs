using Microsoft.Extensions.Primitives;

namespace Mesh.DataPlane.L7;

/// <summary>
/// Tells a request that has passed this gateway before: each one that it forwards says so in CDN-Loop (RFC 8586), which no
/// proxy on the way may take out. See docs/adr/0019-a-request-passes-a-gateway-once.md.
/// </summary>
internal static class LoopRules
{
    public const string Header = "CDN-Loop";

    public static bool HasPassed(StringValues loop, string gateway)
    {
        foreach (var value in loop)
        {
            foreach (var element in value.AsSpan().Split(','))
            {
                // cdn-info is a name, and parameters that follow a semicolon (RFC 8586 §2).
                var info = value.AsSpan(element);
                var end = info.IndexOf(';');
                if ((end < 0 ? info : info[..end]).Trim().Equals(gateway, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}

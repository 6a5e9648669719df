using System.Buffers;
using System.Net;

namespace Mesh.Agent.Probes;

/// <summary>What one request of an httpGet probe asks for: always at the Pod's own address.</summary>
internal sealed record ProbeUri(bool IsTls, IPEndPoint At, string PathAndQuery)
{
    // Of a path with any other character the escaped form is asked for, without its fragment.
    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/?");

    private static readonly UriCreationOptions Exactly = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public static ProbeUri Of(bool isTls, IPEndPoint at, string path) =>
        new(isTls, at, AsWritten(at, path.StartsWith('/') ? path : "/" + path));

    /// <summary>The name in front of a port.</summary>
    public static string NameOf(string host) =>
        host.LastIndexOf(':') is var colon and >= 0 && !host.AsSpan(colon + 1).ContainsAnyExceptInRange('0', '9') ? host[..colon].Trim('[', ']') : host.Trim('[', ']');

    /// <summary>Where a redirect leads; null where it leads to another host, which is not asked (pkg/probe/http, RedirectChecker).</summary>
    /// <returns>False when the location cannot be read.</returns>
    public bool TryFollow(string location, out ProbeUri? next)
    {
        next = null;
        if (location.StartsWith('/') && !location.StartsWith("//", StringComparison.Ordinal))
        {
            next = this with { PathAndQuery = AsWritten(At, location) };
            return true;
        }

        var here = new Uri($"{(IsTls ? "https" : "http")}://{At}{PathAndQuery}");
        var there = IsPlain(location) && Uri.TryCreate(location, Exactly, out var exactly) ? exactly : Uri.TryCreate(here, location, out var joined) ? joined : null;
        if (there is null)
        {
            return false;
        }

        if (!there.Host.Equals(here.Host, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (there.Scheme is not ("http" or "https") || there.Port is < 1 or > ushort.MaxValue)
        {
            return false;
        }

        next = new ProbeUri(there.Scheme == "https", new IPEndPoint(At.Address, there.Port), there.PathAndQuery);
        return true;
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExcept(PathCharacters);

    // The path goes out as it was written: /%7Euser and /a/../b are other paths than /~user and /b to some servers.
    private static string AsWritten(IPEndPoint at, string path) =>
        !IsPlain(path) && Uri.TryCreate($"http://{at}{path}", UriKind.Absolute, out var escaped) ? escaped.PathAndQuery : path;
}

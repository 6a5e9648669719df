using System.Text;
using Mesh.Core.Pods;

namespace Mesh.Agent.Probes;

/// <summary>The bytes of an httpGet probe's request.</summary>
/// <param name="Host">As the request names it.</param>
internal sealed record ProbeRequest(string Host, byte[] Bytes)
{
    private static readonly (string Name, string Value)[] Usual = [("User-Agent", "kube-probe/mesh"), ("Accept", "*/*"), ("Connection", "close")];

    /// <summary>Null when something of it cannot be sent.</summary>
    public static ProbeRequest? Of(ProbeUri target, ProbeAction.HttpGet http)
    {
        var host = http.Headers.Where(static header => Is(header, "Host")).Select(static header => header.Value).FirstOrDefault() ?? http.Host ?? target.At.ToString();
        var text = new StringBuilder(256);
        text.Append("GET ").Append(target.PathAndQuery).Append(" HTTP/1.1\r\n");
        Append(text, "Host", host);
        foreach (var (name, value) in Usual)
        {
            if (!http.Headers.Any(header => Is(header, name)))
            {
                Append(text, name, value);
            }
        }

        foreach (var header in http.Headers.Where(IsSent))
        {
            Append(text, header.Name, header.Value);
        }

        return IsClean(target.PathAndQuery) && IsClean(host) && http.Headers.All(static header => ProbeRules.IsHeaderName(header.Name) && IsClean(header.Value))
            ? new ProbeRequest(host, Encoding.UTF8.GetBytes(text.Append("\r\n").ToString()))
            : null;
    }

    /// <summary>The kubelet's client leaves out what says how a body is framed (net/http, reqWriteExcludeHeader), as there is none, and an empty Accept.</summary>
    private static bool IsSent((string Name, string Value) header) =>
        !Is(header, "Host") && !Is(header, "Content-Length") && !Is(header, "Transfer-Encoding") && !Is(header, "Trailer")
        && !(Is(header, "Accept") && header.Value.Length == 0);

    private static bool Is((string Name, string Value) header, string name) => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static void Append(StringBuilder text, string name, string value) => text.Append(name).Append(": ").Append(value).Append("\r\n");

    private static bool IsClean(string value) => !value.AsSpan().ContainsAny('\r', '\n', '\0');
}

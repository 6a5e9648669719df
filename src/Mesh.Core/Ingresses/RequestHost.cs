using System.Buffers;
using System.Text;

namespace Mesh.Core.Ingresses;

/// <summary>The name in a Host header or :authority, as rules are compared with it (RFC 9110 §7.2).</summary>
internal static class RequestHost
{
    private static readonly SearchValues<char> DigitsAndDot = SearchValues.Create("0123456789.");

    /// <summary>Without port and trailing dot; empty for what only the empty host may match: IP literals and no names.</summary>
    public static ReadOnlySpan<char> NameOf(ReadOnlySpan<char> host)
    {
        if (host.StartsWith('['))
        {
            return [];
        }

        var colon = host.IndexOf(':');
        var name = colon < 0 ? host : host[..colon];
        name = name.EndsWith('.') ? name[..^1] : name;
        var isAddress = !name.ContainsAnyExcept(DigitsAndDot) || (colon >= 0 && host[(colon + 1)..].Contains(':'));
        return isAddress || !Ascii.IsValid(name) ? [] : name;
    }

    /// <summary>What stands behind the first label; empty when the first label is empty or the only one.</summary>
    public static ReadOnlySpan<char> ParentOf(ReadOnlySpan<char> name)
    {
        var dot = name.IndexOf('.');
        return dot > 0 ? name[(dot + 1)..] : [];
    }
}

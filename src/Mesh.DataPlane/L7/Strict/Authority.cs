namespace Mesh.DataPlane.L7.Strict;

/// <summary>
/// Whether a Host value is a plain authority: a name of at most 253 characters in labels of at most 63, or an IP literal, and
/// a port from 1 to 65535, an empty one or none. Proxies disagree on everything else, so nothing else is forwarded (RFC 9110
/// §7.2, RFC 3986 §3.2).
/// </summary>
internal static class Authority
{
    public const string Wanted =
        "no host name of labels of 1 to 63 letters, digits, '-' and '_' (each but the first beginning with a letter or a digit), and no IP address, with a port or without";

    private const int MaxName = 253;
    private const int MaxLabel = 63;
    private const int MinLiteral = 4; // [::] is no host that anything is on

    public static bool IsValid(ReadOnlySpan<byte> value)
    {
        var (host, port) = Split(value);
        return IsHost(host) && (port.Length <= 1 || IsPort(port[1..]));
    }

    /// <summary>The host, and the port with its colon; empty when there is none.</summary>
    private static Parts Split(ReadOnlySpan<byte> value)
    {
        var from = value.IndexOf((byte)']') + 1; // the colons of an IPv6 literal are no port
        var colon = value[from..].IndexOf((byte)':');
        return colon < 0 ? new Parts(value, default) : new Parts(value[..(from + colon)], value[(from + colon)..]);
    }

    private static bool IsHost(ReadOnlySpan<byte> host)
    {
        if (host.StartsWith("["u8))
        {
            // No zone identifiers: they name an interface of the client's machine (RFC 6874 §1).
            return host.Length > MinLiteral && host[^1] == ']' && !host[1..^1].ContainsAnyExcept(HttpBytes.IPv6Literal)
                && System.Net.IPAddress.TryParse(System.Text.Encoding.ASCII.GetString(host[1..^1]), out _);
        }

        var name = host.EndsWith("."u8) ? host[..^1] : host; // the root label
        return name.Length is > 0 and <= MaxName && !name.ContainsAnyExcept(HttpBytes.HostName) && HasLabels(name);
    }

    /// <summary>
    /// Whether HttpRequestHeaders.Host takes it, by which it is sent on: it refuses a label that begins with '-' or '_', save
    /// the first one, and the second one after a first that is no number. AuthorityTests hold that it is no less and no more.
    /// </summary>
    private static bool HasLabels(ReadOnlySpan<byte> name)
    {
        var isPlain = false; // whether the next label has to begin with a letter or a digit
        for (var isFirst = true; ; isFirst = false)
        {
            var dot = name.IndexOf((byte)'.');
            var label = dot < 0 ? name : name[..dot];
            if (label.Length is 0 or > MaxLabel || (isPlain && (label[0] is (byte)'-' or (byte)'_')))
            {
                return false;
            }

            if (dot < 0)
            {
                return true;
            }

            isPlain = !isFirst || !label.ContainsAnyExceptInRange((byte)'0', (byte)'9');
            name = name[(dot + 1)..];
        }
    }

    private static bool IsPort(ReadOnlySpan<byte> digits)
    {
        if (digits.Length is 0 or > 5 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        var port = 0;
        foreach (var digit in digits)
        {
            port = (port * 10) + (digit - '0');
        }

        return port is > 0 and <= 65535;
    }

    private readonly ref struct Parts(ReadOnlySpan<byte> host, ReadOnlySpan<byte> port)
    {
        private readonly ReadOnlySpan<byte> _host = host;
        private readonly ReadOnlySpan<byte> _port = port;

        public void Deconstruct(out ReadOnlySpan<byte> host, out ReadOnlySpan<byte> port)
        {
            host = _host;
            port = _port;
        }
    }
}

using System.Globalization;

namespace Mesh.Hosting.Options;

/// <summary>Ports from the first to the last, both included, as <c>--nodeport-range</c> names them.</summary>
public sealed record PortRange
{
    private PortRange(int first, int last)
    {
        First = first;
        Last = last;
    }

    public int First { get; }

    public int Last { get; }

    public bool Contains(int port) => port >= First && port <= Last;

    public static PortRange? TryParse(string text)
    {
        var parts = text.Split('-');
        return parts.Length == 2 && Port(parts[0]) is { } first && Port(parts[1]) is { } last && first <= last ? new PortRange(first, last) : null;
    }

    public override string ToString() => $"{First}-{Last}";

    private static int? Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;
}

using System.Diagnostics.CodeAnalysis;

namespace Mesh.Grains.Gateways;

/// <summary>
/// Key of a gateway grain: <c>silo/node/link session</c>. It names the incarnation of the silo, so a restarted silo can
/// never receive what was meant for its predecessor.
/// </summary>
public sealed record GatewayKey
{
    private GatewayKey(SiloAddress silo, string node, string session)
    {
        Silo = silo;
        Node = node;
        Session = session;
    }

    public SiloAddress Silo { get; }

    public string Node { get; }

    public string Session { get; }

    public static GatewayKey Of(SiloAddress silo, string node, string session) => new(silo, node, session);

    public static bool TryParse(string? text, [NotNullWhen(true)] out GatewayKey? key)
    {
        key = null;
        var parts = text?.Split('/') ?? [];
        if (parts.Length != 3 || parts[1].Length == 0 || parts[2].Length == 0)
        {
            return false;
        }

        try
        {
            key = new GatewayKey(SiloAddress.FromParsableString(parts[0]), parts[1], parts[2]);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public override string ToString() => $"{Silo.ToParsableString()}/{Node}/{Session}";
}

using System.Collections.Immutable;
using System.Net;

namespace Mesh.ServiceDiscovery;

/// <summary>A Service as the node told it last.</summary>
/// <param name="Host">Its full name.</param>
/// <param name="Target">Of an ExternalName.</param>
internal sealed record KnownService(string Host, string? Target, ImmutableArray<KnownPort> Ports, long Revision)
{
    private const string Tcp = "TCP";

    /// <summary>Null for what is none.</summary>
    public static KnownService? From(WireService told)
    {
        if (told.Host is not { Length: > 0 } host)
        {
            return null;
        }

        var ports = from port in told.Ports ?? []
                    where port is { Port: > 0 and <= ushort.MaxValue } && port.Protocol is null or Tcp
                    select PortOf(port, told.Endpoints ?? []);
        return new KnownService(host, told.Type == "ExternalName" ? told.ExternalName : null, [.. ports], told.Revision);
    }

    /// <summary>Whether they are the same to who calls.</summary>
    public bool SaysSame(KnownService other) =>
        Host == other.Host && Target == other.Target && Ports.Length == other.Ports.Length && Ports.Zip(other.Ports).All(pair => pair.First.SaysSame(pair.Second));

    private static KnownPort PortOf(WirePort port, IReadOnlyList<WireEndpoint?> endpoints)
    {
        var usable = ImmutableArray.CreateBuilder<IPEndPoint>();
        var (ready, total) = (0, 0);
        foreach (var endpoint in endpoints)
        {
            var there = endpoint?.Ports?.FirstOrDefault(one => one is { Port: > 0 and <= ushort.MaxValue } && one.Name == port.Name && one.Protocol is null or Tcp);
            if (there is not null && IPAddress.TryParse(endpoint!.Address, out var address))
            {
                total++;
                ready += endpoint.Ready ? 1 : 0;
                if (there.Usable)
                {
                    usable.Add(new IPEndPoint(address, there.Port));
                }
            }
        }

        return new KnownPort(port.Name ?? "", port.Port, port.AppProtocol, usable.ToImmutable(), ready, total);
    }
}

/// <summary>One TCP port of a Service, and where it is served now.</summary>
/// <param name="Ready">Pods that are, of the <paramref name="Total"/> that have the port.</param>
internal sealed record KnownPort(string Name, int Number, string? AppProtocol, ImmutableArray<IPEndPoint> Usable, int Ready, int Total)
{
    /// <summary>What the Service says that the port speaks (KEP-2433, KEP-3726); null when it says nothing.</summary>
    public string? Scheme => AppProtocol switch
    {
        "https" => "https",
        "http" or "grpc" or "kubernetes.io/h2c" or "kubernetes.io/ws" => "http",
        "kubernetes.io/wss" => "https",
        _ => Begins("https") ? "https" : Begins("http") || Begins("grpc") ? "http" : null,
    };

    public bool SaysSame(KnownPort other) => this with { Usable = other.Usable } == other && Usable.SequenceEqual(other.Usable);

    private bool Begins(string with) => Name.StartsWith(with, StringComparison.Ordinal);

    public override string ToString() => Name.Length == 0 ? $"{Number}" : $"{Number} ({Name})";
}

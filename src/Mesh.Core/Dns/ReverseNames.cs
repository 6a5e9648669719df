using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Mesh.Core.Routing;

namespace Mesh.Core.Dns;

/// <summary>Names of addresses: <c>9.0.96.127.in-addr.arpa</c> and <c>….ip6.arpa</c> (RFC 1035 §3.5, RFC 3596 §2.5).</summary>
internal static class ReverseNames
{
    private const int V4Labels = 4;
    private const int V6Labels = 32;

    public static bool TryParse(ImmutableArray<string> name, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (name.Length < 2 || !DnsAnswers.Is(name[^1], "arpa"))
        {
            return false;
        }

        var labels = name.AsSpan()[..^2];
        address = name.Length switch
        {
            V4Labels + 2 when DnsAnswers.Is(name[^2], "in-addr") => V4(labels),
            V6Labels + 2 when DnsAnswers.Is(name[^2], "ip6") => V6(labels),
            _ => null,
        };
        return address is not null;
    }

    /// <summary>Null for an address that is nobody's here: another server may know it.</summary>
    public static DnsAnswer? Resolve(
        RoutingSnapshot snapshot, ImmutableArray<string> zone, ImmutableArray<string> name, IPAddress address, DnsRecordType type)
    {
        var names = snapshot.ClusterIPs.TryGetValue(address, out var service) && snapshot.Services.TryGetValue(service, out var route)
            ? [ServiceNames.NameOf(route.Service, zone)]
            : EndpointNames(snapshot, zone, address);
        if (names.IsEmpty)
        {
            return null;
        }

        return type == DnsRecordType.Ptr
            ? new DnsAnswer.Records([.. names.Select(target => new DnsRecord(name, type, new DnsData.Host(target)))], [])
            : new DnsAnswer.NoRecords();
    }

    private static ImmutableArray<ImmutableArray<string>> EndpointNames(RoutingSnapshot snapshot, ImmutableArray<string> zone, IPAddress address)
    {
        if (!snapshot.EndpointAddresses.TryGetValue(address, out var services))
        {
            return [];
        }

        return
        [
            .. services.Take(DnsLimits.MaxReverseNames)
                .Select(name => snapshot.Services.GetValueOrDefault(name))
                .OfType<ServiceRoute>()
                .Where(route => route.Endpoints.Any(endpoint => endpoint.Ready && endpoint.Address.Equals(address)))
                .Select(route => ImmutableArray.Create([ServiceNames.LabelOf(address), .. ServiceNames.NameOf(route.Service, zone)])),
        ];
    }

    private static IPAddress? V4(ReadOnlySpan<string> labels)
    {
        Span<byte> bytes = stackalloc byte[V4Labels];
        for (var i = 0; i < V4Labels; i++)
        {
            if (!byte.TryParse(labels[i], NumberStyles.None, CultureInfo.InvariantCulture, out bytes[V4Labels - 1 - i]))
            {
                return null;
            }
        }

        return new IPAddress(bytes);
    }

    private static IPAddress? V6(ReadOnlySpan<string> labels)
    {
        Span<byte> bytes = stackalloc byte[V6Labels / 2];
        for (var i = 0; i < V6Labels; i++)
        {
            if (labels[i].Length != 1 || !char.IsAsciiHexDigit(labels[i][0]))
            {
                return null;
            }

            var nibble = Convert.FromHexString("0" + labels[i])[0];
            bytes[(V6Labels - 1 - i) / 2] |= (byte)(i % 2 == 0 ? nibble : nibble << 4);
        }

        return new IPAddress(bytes);
    }
}

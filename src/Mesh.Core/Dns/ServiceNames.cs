using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Core.Dns;

/// <summary>Names at and below <c>service.namespace.svc.zone</c>.</summary>
internal static class ServiceNames
{
    private static readonly DnsAnswer NoRecords = new DnsAnswer.NoRecords();
    private static readonly DnsAnswer NoSuchName = new DnsAnswer.NoSuchName();

    /// <param name="below">Labels in front of the Service's: none, an endpoint's, or <c>_port._protocol</c>.</param>
    public static DnsAnswer Resolve(Question question, ServiceRoute route, ReadOnlySpan<string> below)
    {
        if (route.Service.Type == ServiceType.ExternalName)
        {
            return below.IsEmpty ? ExternalName(question, route.Service) : NoSuchName;
        }

        if (route.Service.IsHeadless && !route.Endpoints.Any(endpoint => endpoint.Ready))
        {
            return NoSuchName;
        }

        return below switch
        {
            [] => Itself(question, route),
            [['_', ..] and var protocol] => HasPort(route, protocol) ? NoRecords : NoSuchName,
            [var endpoint] => EndpointName(question, route, endpoint),
            [['_', ..] and var port, ['_', ..] and var protocol] => PortName(question, route, port, protocol),
            _ => NoSuchName,
        };
    }

    /// <summary>The label of an endpoint without hostname: its address with dashes.</summary>
    public static string LabelOf(IPAddress address)
    {
        var text = address.ToString().Replace('.', '-').Replace(':', '-');
        return text.EndsWith('-') ? text + "0" : text;
    }

    /// <summary>The Service's full name.</summary>
    public static ImmutableArray<string> NameOf(Service service, ImmutableArray<string> zone) =>
        [service.Name.Name, service.Name.Namespace, "svc", .. zone];

    private static DnsAnswer Itself(Question question, ServiceRoute route)
    {
        if (question.WantsAddress)
        {
            return question.Addresses(route.Service.IsHeadless ? ReadyAddresses(route) : route.Service.ClusterIPs);
        }

        return question.Type == DnsRecordType.Srv ? Locations(question, route, [.. route.Service.Ports]) : NoRecords;
    }

    private static IEnumerable<IPAddress> ReadyAddresses(ServiceRoute route) =>
        route.Endpoints.Where(endpoint => endpoint.Ready).Select(endpoint => endpoint.Address).Distinct();

    private static DnsAnswer EndpointName(Question question, ServiceRoute route, string label)
    {
        var addresses = ReadyAddresses(route).Where(address => DnsAnswers.Is(LabelOf(address), label)).ToArray();
        if (addresses.Length == 0)
        {
            return NoSuchName;
        }

        return question.WantsAddress ? question.Addresses(addresses) : NoRecords;
    }

    private static bool HasPort(ServiceRoute route, string protocol) =>
        route.Service.Ports.Any(port => port.Name.Length > 0 && IsProtocol(port, protocol));

    private static DnsAnswer PortName(Question question, ServiceRoute route, string name, string protocol)
    {
        // An unnamed port has no SRV record, so the label "_" names none.
        var ports = route.Service.Ports
            .Where(port => port.Name.Length > 0 && DnsAnswers.Is(port.Name, name[1..]) && IsProtocol(port, protocol))
            .ToArray();
        if (ports.Length == 0)
        {
            return NoSuchName;
        }

        return question.Type == DnsRecordType.Srv ? Locations(question, route, ports) : NoRecords;
    }

    private static bool IsProtocol(ServicePort port, string label) => DnsAnswers.Is(port.Protocol.ToString(), label[1..]);

    /// <summary>SRV records (RFC 2782) and the addresses of their targets.</summary>
    private static DnsAnswer Locations(Question question, ServiceRoute route, ServicePort[] ports)
    {
        var name = NameOf(route.Service, question.Zone);
        var places = (route.Service.IsHeadless ? OfEndpoints(route, ports, name) : OfService(route, ports, name))
            .Take(DnsLimits.MaxRecords)
            .ToArray();
        if (places.Length == 0)
        {
            return NoRecords;
        }

        var weight = Math.Max(1, 100 / places.Length);
        return new DnsAnswer.Records(
            [.. places.Select(place => new DnsRecord(question.Name, DnsRecordType.Srv, new DnsData.Service(0, weight, place.Port, place.Target)))],
            [
                .. places.SelectMany(place => place.Addresses.Select(address => (place.Target, Address: address)))
                    .DistinctBy(pair => (pair.Address, pair.Target[0]))
                    .Select(pair => new DnsRecord(pair.Target, Question.TypeOf(pair.Address), new DnsData.Address(pair.Address))),
            ]);
    }

    private static IEnumerable<Place> OfService(ServiceRoute route, ServicePort[] ports, ImmutableArray<string> name) =>
        ports.Select(port => new Place(port.Port, name, route.Service.ClusterIPs));

    private static IEnumerable<Place> OfEndpoints(ServiceRoute route, ServicePort[] ports, ImmutableArray<string> name) =>
        from endpoint in route.Endpoints
        where endpoint.Ready
        from port in ports
        let number = endpoint.NumberOf(port)
        where number is not null
        select new Place(number.Value, [LabelOf(endpoint.Address), .. name], [endpoint.Address]);

    /// <summary>
    /// A CNAME, and what it leads to when that is in the zone; other targets are the client's resolver's. An alias that
    /// leads nowhere in the zone, in a circle or too far is no answer.
    /// </summary>
    private static DnsAnswer ExternalName(Question question, Service service)
    {
        if (service.ExternalName is not { } text || IPAddress.TryParse(text, out _))
        {
            return NoSuchName;
        }

        if (!question.WantsAddress && question.Type != DnsRecordType.Cname)
        {
            return NoRecords;
        }

        ImmutableArray<string> target = [.. text.TrimEnd('.').Split('.')];
        var alias = new DnsRecord(question.Name, DnsRecordType.Cname, new DnsData.Host(target));
        if (question.Type == DnsRecordType.Cname || !DnsAnswers.EndsWith(target.AsSpan(), question.Zone.AsSpan()))
        {
            return new DnsAnswer.Records([alias], []);
        }

        return question.Depth < DnsLimits.MaxAliases
            && DnsAnswers.Resolve(question with { Name = target, Depth = question.Depth + 1 }) is DnsAnswer.Records found
            ? new DnsAnswer.Records([alias, .. found.Answers], [])
            : NoRecords;
    }

    private readonly record struct Place(int Port, ImmutableArray<string> Target, ImmutableArray<IPAddress> Addresses);
}

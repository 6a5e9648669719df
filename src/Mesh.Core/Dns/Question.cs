using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Core.Dns;

/// <summary>One question about a name in the zone.</summary>
internal readonly record struct Question(RoutingSnapshot Snapshot, ImmutableArray<string> Zone, ImmutableArray<string> Name, DnsRecordType Type)
{
    /// <summary>CNAMEs followed so far.</summary>
    public int Depth { get; init; }

    public DnsAnswer Answer(DnsData data) => new DnsAnswer.Records([new DnsRecord(Name, Type, data)], []);

    public bool WantsAddress => Type is DnsRecordType.A or DnsRecordType.Aaaa;

    public bool Takes(IPAddress address) => Type == TypeOf(address);

    public static DnsRecordType TypeOf(IPAddress address) => AddressText.IsV4(address) ? DnsRecordType.A : DnsRecordType.Aaaa;

    /// <summary>Records of the addresses that the question's type can carry; none: the name exists without that type.</summary>
    public DnsAnswer Addresses(IEnumerable<IPAddress> addresses)
    {
        var question = this;
        var records = addresses.Where(question.Takes)
            .Take(DnsLimits.MaxRecords)
            .Select(address => new DnsRecord(question.Name, question.Type, new DnsData.Address(address)))
            .ToImmutableArray();
        return records.IsEmpty ? new DnsAnswer.NoRecords() : new DnsAnswer.Records(records, []);
    }
}

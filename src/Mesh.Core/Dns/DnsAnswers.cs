using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Routing;

namespace Mesh.Core.Dns;

/// <summary>What the cluster's zone answers (Kubernetes DNS specification 1.1.0), as values; the wire is Mesh.Dns.</summary>
public static class DnsAnswers
{
    /// <param name="name">The question's labels, first label first, as sent; compared without case.</param>
    /// <param name="zone">The cluster domain's labels, such as <c>cluster</c>, <c>local</c>.</param>
    public static DnsAnswer Resolve(RoutingSnapshot snapshot, ImmutableArray<string> zone, ImmutableArray<string> name, DnsRecordType type) =>
        throw new NotImplementedException();
}

/// <summary>Types by number, as RFC 1035, 2782 and 3596 assign them; other numbers are legal questions.</summary>
public enum DnsRecordType
{
    A = 1,
    NS = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
    Axfr = 252,
    Any = 255,
}

public abstract record DnsAnswer
{
    private DnsAnswer()
    {
    }

    public sealed record Records(ImmutableArray<DnsRecord> Answers, ImmutableArray<DnsRecord> Additional) : DnsAnswer;

    /// <summary>The name exists, without this type: NOERROR, empty, SOA in authority.</summary>
    public sealed record NoRecords : DnsAnswer;

    public sealed record NoSuchName : DnsAnswer;

    /// <summary>Not in the cluster's zone.</summary>
    public sealed record NotOurs : DnsAnswer;

    /// <summary>The snapshot is not synced yet and the name is not in it: SERVFAIL.</summary>
    public sealed record NotReady : DnsAnswer;
}

/// <summary>A record of the zone. <paramref name="Name"/>: labels, first label first.</summary>
public sealed record DnsRecord(ImmutableArray<string> Name, DnsRecordType Type, DnsData Data);

public abstract record DnsData
{
    private DnsData()
    {
    }

    public sealed record Address(IPAddress Value) : DnsData;

    public sealed record Host(ImmutableArray<string> Name) : DnsData;

    public sealed record Service(int Priority, int Weight, int Port, ImmutableArray<string> Target) : DnsData;

    public sealed record Text(string Value) : DnsData;

    public sealed record StartOfAuthority(ImmutableArray<string> Server, ImmutableArray<string> Mailbox) : DnsData;
}

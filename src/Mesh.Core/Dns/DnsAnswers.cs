using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Core.Dns;

/// <summary>What the cluster's zone answers (Kubernetes DNS specification 1.1.0), as values; the wire is Mesh.Dns.</summary>
public static class DnsAnswers
{
    private const string SchemaVersion = "1.1.0";

    private static readonly DnsAnswer NoRecords = new DnsAnswer.NoRecords();
    private static readonly DnsAnswer NoSuchName = new DnsAnswer.NoSuchName();
    private static readonly DnsAnswer NotOurs = new DnsAnswer.NotOurs();
    private static readonly DnsAnswer NotReady = new DnsAnswer.NotReady();

    /// <param name="name">The question's labels, first label first, as sent; compared without case.</param>
    /// <param name="zone">The cluster domain's labels, such as <c>cluster</c>, <c>local</c>.</param>
    public static DnsAnswer Resolve(RoutingSnapshot snapshot, ImmutableArray<string> zone, ImmutableArray<string> name, DnsRecordType type) =>
        ReverseNames.TryParse(name, out var address)
            ? ReverseNames.Resolve(snapshot, zone, name, address, type) ?? NotOurs
            : Resolve(new Question(snapshot, zone, name, type));

    internal static DnsAnswer Resolve(Question question)
    {
        if (!EndsWith(question.Name.AsSpan(), question.Zone.AsSpan()))
        {
            return NotOurs;
        }

        var snapshot = question.Snapshot;
        var labels = question.Name.AsSpan()[..^question.Zone.Length];
        return labels switch
        {
            [] => Apex(question),
            [var only] when Is(only, "dns-version") =>
                question.Type == DnsRecordType.Txt ? question.Answer(new DnsData.Text(SchemaVersion)) : NoRecords,
            // ns.dns is the zone's name server; it and the name above it exist, without an address of their own.
            [var dns] when Is(dns, "dns") => NoRecords,
            [var ns, var dns] when Is(ns, "ns") && Is(dns, "dns") => NoRecords,
            [var area] when Is(area, "svc") || Is(area, "pod") => NoRecords,
            [var ns, var area] when Is(area, "svc") || Is(area, "pod") =>
                snapshot.Namespaces.Contains(Lower(ns)) ? NoRecords : Missing(snapshot),
            [.. var below, var service, var ns, var area] when Is(area, "svc") => InService(question, below, service, ns),
            _ => NoSuchName,
        };
    }

    internal static bool Is(string label, string name) => string.Equals(label, name, StringComparison.OrdinalIgnoreCase);

    internal static string Lower(string label) => label.AsSpan().ContainsAnyInRange('A', 'Z') ? label.ToLowerInvariant() : label;

    internal static bool EndsWith(ReadOnlySpan<string> name, ReadOnlySpan<string> zone)
    {
        if (name.Length < zone.Length)
        {
            return false;
        }

        var end = name[^zone.Length..];
        for (var i = 0; i < zone.Length; i++)
        {
            if (!Is(end[i], zone[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What a snapshot lacks before it is synced may exist.</summary>
    private static DnsAnswer Missing(RoutingSnapshot snapshot) => snapshot.IsSynced ? NoSuchName : NotReady;

    private static DnsAnswer Apex(Question question) => question.Type switch
    {
        DnsRecordType.Soa => question.Answer(new DnsData.StartOfAuthority(["ns", "dns", .. question.Zone], ["hostmaster", .. question.Zone])),
        DnsRecordType.NS => question.Answer(new DnsData.Host(["ns", "dns", .. question.Zone])),
        _ => NoRecords,
    };

    private static DnsAnswer InService(Question question, ReadOnlySpan<string> below, string service, string ns)
    {
        if (!NamespacedName.TryCreate(Lower(ns), Lower(service), out var name) || !question.Snapshot.Services.TryGetValue(name, out var route))
        {
            return Missing(question.Snapshot);
        }

        var answer = ServiceNames.Resolve(question, route, below);
        var isUnknown = answer is DnsAnswer.NoSuchName && !route.IsSynced && route.Service.Type != ServiceType.ExternalName;
        return isUnknown ? NotReady : answer;
    }
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

using System.Diagnostics;
using System.Diagnostics.Metrics;
using Mesh.Dns.Wire;

namespace Mesh.Dns;

/// <summary>Instruments of the DNS server (meter <c>Mesh.Dns</c>).</summary>
internal static class DnsMetrics
{
    public const string MeterName = "Mesh.Dns";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "mesh.dns.server.duration",
        "s",
        "Time from the receipt of a query to its answer, without the network.");

    public static void Answered(long began, ushort type, ResponseCode code)
    {
        if (Duration.Enabled)
        {
            Duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, new TagList { { "dns.question.type", Name(type) }, { "mesh.dns.rcode", Name(code) } });
        }
    }

    /// <summary>Bounded: types that nobody serves share one name.</summary>
    private static string Name(ushort type) => type switch
    {
        1 => "A",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        255 => "ANY",
        _ => "other",
    };

    private static string Name(ResponseCode code) => code switch
    {
        ResponseCode.NoError => "NOERROR",
        ResponseCode.FormatError => "FORMERR",
        ResponseCode.ServerFailure => "SERVFAIL",
        ResponseCode.NoSuchName => "NXDOMAIN",
        ResponseCode.NotImplemented => "NOTIMP",
        ResponseCode.Refused => "REFUSED",
        ResponseCode.BadVersion => "BADVERS",
        _ => throw new UnreachableException(),
    };
}

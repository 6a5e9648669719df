using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Dns;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Tests.Routing;
using Xunit;

namespace Mesh.Core.Tests.Dns;

public class DnsAnswersTests
{
    private static readonly ImmutableArray<string> Zone = ["cluster", "local"];

    private readonly RoutingTable _table = new("here");

    public DnsAnswersTests()
    {
        _table.Apply(new RoutingChange.NamespaceExists("default", true));
        Tell(Told.Spec());
        _table.MarkSynced();
    }

    [Theory]
    [Trait("Row", "SVC-N1")]
    [InlineData("web.default.svc.cluster.local")]
    [InlineData("WEB.Default.SVC.cluster.LOCAL")]
    public void A_Service_has_its_ClusterIP_also_without_endpoints(string name) => Answers(name, DnsRecordType.A, "127.96.0.9");

    [Fact]
    [Trait("Row", "SVC-N2")]
    [Trait("Row", "SVC-N24")]
    public void Another_type_of_an_existing_name_has_no_records()
    {
        Answers<DnsAnswer.NoRecords>("web.default.svc.cluster.local", DnsRecordType.Aaaa);
        Answers<DnsAnswer.NoRecords>("web.default.svc.cluster.local", DnsRecordType.Txt);
        Answers<DnsAnswer.NoRecords>("web.default.svc.cluster.local", (DnsRecordType)15);
    }

    [Theory]
    [Trait("Row", "SVC-N3")]
    [Trait("Row", "SVC-N14")]
    [Trait("Row", "SVC-N25")]
    [Trait("Row", "SVC-N26")]
    [InlineData("none.default.svc.cluster.local")]
    [InlineData("web.none.svc.cluster.local")]
    [InlineData("none.svc.cluster.local")]
    [InlineData("foo.cluster.local")]
    [InlineData("unknown.web.default.svc.cluster.local")]
    [InlineData("a.b.c.web.default.svc.cluster.local")]
    [InlineData("*.default.svc.cluster.local")]
    [InlineData("10-0-0-5.default.pod.cluster.local")]
    public void A_name_that_nothing_has_does_not_exist(string name) => Answers<DnsAnswer.NoSuchName>(name, DnsRecordType.A);

    [Fact]
    [Trait("Row", "SVC-N4")]
    public void A_headless_Service_has_its_ready_endpoints_once_each()
    {
        Tell(Headless(), Told.Row("a"), Told.Row("b", 2), Told.Row("c", 2), Told.Row("d", 3, ready: false), Told.Row("e", 4, terminating: true));
        Answers("web.default.svc.cluster.local", DnsRecordType.A, "127.80.0.1", "127.80.0.2");
    }

    [Fact]
    [Trait("Row", "SVC-N5")]
    [Trait("Row", "SVC-N7")]
    public void A_headless_Service_without_ready_endpoints_does_not_exist()
    {
        Tell(Headless(), Told.Row("a", ready: false));
        Answers<DnsAnswer.NoSuchName>("web.default.svc.cluster.local", DnsRecordType.A);

        Tell(Headless(), Told.Row("a", liveness: 2));
        Answers<DnsAnswer.NoRecords>("web.default.svc.cluster.local", DnsRecordType.Aaaa);
    }

    [Fact]
    [Trait("Row", "SVC-N6")]
    public void Published_addresses_that_are_not_ready_are_answered()
    {
        Tell(Headless(), Told.Row("a", ready: false) with { Ready = true });
        Answers("web.default.svc.cluster.local", DnsRecordType.A, "127.80.0.1");
    }

    [Theory]
    [Trait("Row", "SVC-N8")]
    [Trait("Row", "SVC-N11")]
    [InlineData("_http._tcp.web.default.svc.cluster.local")]
    [InlineData("_HTTP._TCP.web.default.svc.cluster.local")]
    [InlineData("web.default.svc.cluster.local")]
    public void A_port_is_located_at_the_Service(string name)
    {
        var records = Answers<DnsAnswer.Records>(name, DnsRecordType.Srv);
        Assert.Equal(["0 100 80 web.default.svc.cluster.local"], records.Answers.Select(Print));
        Assert.Equal(["127.96.0.9"], records.Additional.Select(Print));
    }

    [Fact]
    [Trait("Row", "SVC-N9")]
    public void A_headless_port_is_located_at_each_ready_endpoint()
    {
        Tell(Headless(), Told.Row("a"), Told.Row("b", 2), Told.Row("c", 3, ready: false));
        var records = Answers<DnsAnswer.Records>("_http._tcp.web.default.svc.cluster.local", DnsRecordType.Srv);
        Assert.Equal(
            ["0 50 8080 127-80-0-1.web.default.svc.cluster.local", "0 50 8080 127-80-0-2.web.default.svc.cluster.local"],
            records.Answers.Select(Print));
        Assert.Equal(["127.80.0.1", "127.80.0.2"], records.Additional.Select(Print));
    }

    [Theory]
    [Trait("Row", "SVC-N10")]
    [InlineData("_none._tcp.web.default.svc.cluster.local")]
    [InlineData("_http._udp.web.default.svc.cluster.local")]
    [InlineData("_._tcp.web.default.svc.cluster.local")]
    [InlineData("http._tcp.web.default.svc.cluster.local")]
    public void A_port_that_the_Service_lacks_does_not_exist(string name) => Answers<DnsAnswer.NoSuchName>(name, DnsRecordType.Srv);

    [Fact]
    [Trait("Row", "SVC-N13")]
    public void An_endpoint_is_found_by_its_address_with_dashes()
    {
        Tell(Told.Spec(), Told.Row("a"));
        Answers("127-80-0-1.web.default.svc.cluster.local", DnsRecordType.A, "127.80.0.1");
        Answers<DnsAnswer.NoRecords>("127-80-0-1.web.default.svc.cluster.local", DnsRecordType.Aaaa);
        Assert.Equal("fd00--0", ServiceNames.LabelOf(IPAddress.Parse("fd00::")));
    }

    [Fact]
    [Trait("Row", "SVC-N15")]
    public void A_ClusterIP_has_the_name_of_its_Service()
    {
        Answers("9.0.96.127.in-addr.arpa", DnsRecordType.Ptr, "web.default.svc.cluster.local");
        Answers<DnsAnswer.NoRecords>("9.0.96.127.in-addr.arpa", DnsRecordType.A);
    }

    [Fact]
    [Trait("Row", "SVC-N16")]
    public void A_ready_endpoint_has_a_name_in_each_Service()
    {
        Tell(Told.Spec(), Told.Row("a"), Told.Row("b", 2, ready: false));
        _table.Apply(Told.Spec("api", "svc-2", clusterIP: "127.96.0.10", endpoints: Told.Set(true, true, [Told.Row("a")], uid: "svc-2")));

        Answers("1.0.80.127.in-addr.arpa", DnsRecordType.Ptr, "127-80-0-1.api.default.svc.cluster.local", "127-80-0-1.web.default.svc.cluster.local");
        Answers<DnsAnswer.NotOurs>("2.0.80.127.in-addr.arpa", DnsRecordType.Ptr);

        Tell(Told.Spec());
        Answers("1.0.80.127.in-addr.arpa", DnsRecordType.Ptr, "127-80-0-1.api.default.svc.cluster.local");
        _table.Apply(new RoutingChange.ServiceRemoved(NamespacedName.Of("default", "api"), "svc-2"));
        Assert.Empty(_table.Current.EndpointAddresses);
    }

    [Theory]
    [InlineData("2.0.192.10.in-addr.arpa")]
    [InlineData("x.0.96.127.in-addr.arpa")]
    [InlineData("256.0.96.127.in-addr.arpa")]
    [InlineData("9.0.96.127.in-addr.example")]
    [InlineData("example.com")]
    [InlineData("local")]
    [InlineData("")]
    public void Other_names_are_not_ours(string name) => Answers<DnsAnswer.NotOurs>(name, DnsRecordType.Ptr);

    [Fact]
    public void A_reverse_name_of_IPv6_is_read_backwards()
    {
        Assert.True(ReverseNames.TryParse(Labels("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.D.f.ip6.arpa"), out var address));
        Assert.Equal(IPAddress.Parse("fdd0::1"), address);
    }

    [Fact]
    [Trait("Row", "SVC-N18")]
    public void An_ExternalName_is_an_alias_that_is_followed_inside_the_zone()
    {
        External("out", "www.example.com.");
        External("in", "web.default.svc.cluster.local");
        External("dead", "none.default.svc.cluster.local");
        External("loop", "loop.default.svc.cluster.local");

        Answers("out.default.svc.cluster.local", DnsRecordType.A, "www.example.com");
        Answers("in.default.svc.cluster.local", DnsRecordType.A, "web.default.svc.cluster.local", "127.96.0.9");
        Answers("in.default.svc.cluster.local", DnsRecordType.Cname, "web.default.svc.cluster.local");
        Answers<DnsAnswer.NoRecords>("dead.default.svc.cluster.local", DnsRecordType.A);
        Answers<DnsAnswer.NoRecords>("loop.default.svc.cluster.local", DnsRecordType.A);
    }

    [Fact]
    [Trait("Row", "SVC-N19")]
    [Trait("Row", "SVC-N21")]
    public void An_ExternalName_has_nothing_else_and_an_address_is_no_name()
    {
        External("out", "www.example.com");
        External("ip", "1.2.3.4");

        Answers<DnsAnswer.NoRecords>("out.default.svc.cluster.local", DnsRecordType.Srv);
        Answers<DnsAnswer.NoSuchName>("_http._tcp.out.default.svc.cluster.local", DnsRecordType.Srv);
        Answers<DnsAnswer.NoSuchName>("ip.default.svc.cluster.local", DnsRecordType.A);
    }

    [Fact]
    [Trait("Row", "SVC-N22")]
    public void The_zone_tells_its_schema_version() => Answers("dns-version.cluster.local", DnsRecordType.Txt, "1.1.0");

    [Theory]
    [Trait("Row", "SVC-N23")]
    [InlineData("svc.cluster.local")]
    [InlineData("pod.cluster.local")]
    [InlineData("default.svc.cluster.local")]
    [InlineData("cluster.local")]
    [InlineData("ns.dns.cluster.local")]
    [InlineData("_tcp.web.default.svc.cluster.local")]
    public void Names_with_names_below_them_exist(string name) => Answers<DnsAnswer.NoRecords>(name, DnsRecordType.A);

    [Fact]
    [Trait("Row", "SVC-N27")]
    public void The_apex_has_SOA_and_NS()
    {
        Answers("cluster.local", DnsRecordType.NS, "ns.dns.cluster.local");
        Assert.IsType<DnsData.StartOfAuthority>(Answers<DnsAnswer.Records>("cluster.local", DnsRecordType.Soa).Answers[0].Data);
    }

    [Fact]
    [Trait("Row", "SVC-N28")]
    public void Before_it_is_synced_a_missing_name_is_not_said_to_be_missing()
    {
        var table = new RoutingTable("here");
        table.Apply(Told.Spec());
        Assert.IsType<DnsAnswer.NotReady>(Resolve(table.Current, "none.default.svc.cluster.local", DnsRecordType.A));
        Assert.IsType<DnsAnswer.NotReady>(Resolve(table.Current, "none.svc.cluster.local", DnsRecordType.A));
        Assert.IsType<DnsAnswer.Records>(Resolve(table.Current, "web.default.svc.cluster.local", DnsRecordType.A));
    }

    [Fact]
    public void A_headless_Service_whose_endpoints_are_not_known_yet_is_not_said_to_be_missing()
    {
        _table.Apply(Told.Spec("h", "svc-9", clusterIP: "None"));
        Answers<DnsAnswer.NotReady>("h.default.svc.cluster.local", DnsRecordType.A);
    }

    private static RoutingChange.ServiceSpec Headless() => Told.Spec(version: 2, clusterIP: "None");

    private void External(string name, string target) => _table.Apply(new RoutingChange.ServiceSpec(
        new ObjectDocument(NamespacedName.Of("default", name), "uid-" + name, 1, 1, Json.Utf8(
            $$"""{"metadata":{"name":"{{name}}","namespace":"default"},"spec":{"type":"ExternalName","externalName":"{{target}}"} }""")), null));

    private void Tell(RoutingChange spec, params ImmutableArray<Endpoint> rows)
    {
        _table.Apply(spec);
        _table.Apply(Told.Full(isSynced: true, rows));
    }

    private void Answers(string name, DnsRecordType type, params string[] expected)
    {
        var records = Answers<DnsAnswer.Records>(name, type);
        Assert.Equal(expected, records.Answers.Select(Print));
        Assert.Equal(name, string.Join('.', records.Answers[0].Name));
    }

    private T Answers<T>(string name, DnsRecordType type)
        where T : DnsAnswer => Assert.IsType<T>(Resolve(_table.Current, name, type));

    private static DnsAnswer Resolve(RoutingSnapshot snapshot, string name, DnsRecordType type) =>
        DnsAnswers.Resolve(snapshot, Zone, Labels(name), type);

    private static ImmutableArray<string> Labels(string name) => [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries)];

    private static string Print(DnsRecord record) => record.Data switch
    {
        DnsData.Address address => address.Value.ToString(),
        DnsData.Host host => string.Join('.', host.Name),
        DnsData.Service srv => $"{srv.Priority} {srv.Weight} {srv.Port} {string.Join('.', srv.Target)}",
        DnsData.Text text => text.Value,
        _ => "",
    };
}

using CsCheck;
using Xunit;

namespace Mesh.Dns.Tests;

public sealed class DnsResponderTests
{
    private const string Web = "web.default.svc.cluster.local";
    private const string Pods = "pods.default.svc.cluster.local";

    private readonly DnsResponder _responder = SomeCluster.Responder(SomeCluster.With());

    [Theory]
    [InlineData(Web)]
    [InlineData("wEb.DeFault.SVC.cLuster.loCal")]
    [Trait("Row", "SVC-N1")]
    [Trait("Row", "REL-D01")]
    [Trait("Row", "REL-D05")]
    public void A_Service_is_its_ClusterIP_and_the_question_is_echoed_byte_for_byte(string name)
    {
        var reply = Ask(Packet.Query(name, 1));
        Assert.Equal(0, reply.Code);
        Assert.True(reply.IsAuthoritative);
        Assert.Equal(Packet.Id, reply.Id);
        Assert.Equal(name, reply.Question);
        var record = Assert.Single(reply.Answers);
        Assert.Equal(("127.96.0.10", 1, 1, 5u), (record.Data, record.Type, record.Class, record.Ttl));
        Assert.Equal(name, record.Name);
    }

    [Theory]
    [InlineData(Web, 28, 15, 16, 65280)]
    [InlineData("svc.cluster.local", 1, 28, 15, 16, 33)]
    [InlineData("pod.cluster.local", 1, 28, 15, 16, 33)]
    [InlineData("empty.svc.cluster.local", 1, 28, 15, 16, 33)]
    [Trait("Row", "SVC-N2")]
    [Trait("Row", "SVC-N23")]
    [Trait("Row", "SVC-N24")]
    [Trait("Row", "REL-D02")]
    public void A_name_without_the_type_is_an_empty_answer_with_the_zones_SOA(string name, params int[] types)
    {
        foreach (var type in types)
        {
            var reply = Ask(Packet.Query(name, (ushort)type));
            Assert.Equal(0, reply.Code);
            Assert.Empty(reply.Answers);
            var soa = Assert.Single(reply.Authority);
            Assert.Equal(("cluster.local", "ns.dns.cluster.local hostmaster.cluster.local", 5u), (soa.Name, soa.Data, soa.Ttl));
        }
    }

    [Theory]
    [InlineData("gone.default.svc.cluster.local")]
    [InlineData("web.gone.svc.cluster.local")]
    [InlineData("gone.svc.cluster.local")]
    [InlineData("foo.cluster.local")]
    [InlineData("*.default.svc.cluster.local")]
    [InlineData("a.b.c.web.default.svc.cluster.local")]
    [InlineData("10-0-0-1.default.pod.cluster.local")]
    [Trait("Row", "SVC-N3")]
    [Trait("Row", "SVC-N25")]
    [Trait("Row", "SVC-N26")]
    [Trait("Row", "REL-D03")]
    public void A_missing_name_does_not_exist_for_any_type_and_the_SOA_says_for_how_long(string name)
    {
        foreach (var type in (ushort[])[1, 28, 33, 16, 12, 255])
        {
            var reply = Ask(Packet.Query(name, type));
            Assert.Equal(3, reply.Code);
            Assert.True(reply.IsAuthoritative);
            Assert.Empty(reply.Answers);
            var soa = Assert.Single(reply.Authority);
            Assert.Equal((6, 5u), (soa.Type, soa.Ttl));
        }
    }

    [Theory]
    [InlineData("example.com", 1)]
    [InlineData("cluster.local.example.com", 1)]
    [InlineData("local", 1)]
    [InlineData("", 2)]
    [Trait("Row", "REL-D04")]
    public void Names_outside_the_zone_are_refused(string name, ushort type)
    {
        var reply = Ask(Packet.Query(name, type));
        Assert.Equal(5, reply.Code);
        Assert.False(reply.IsAuthoritative);
        Assert.False(reply.RecursionAvailable);
    }

    [Fact]
    [Trait("Row", "SVC-N27")]
    public void The_apex_has_a_SOA_and_a_name_server()
    {
        Assert.Equal("ns.dns.cluster.local hostmaster.cluster.local", Assert.Single(Ask(Packet.Query("cluster.local", 6)).Answers).Data);
        Assert.Equal("ns.dns.cluster.local", Assert.Single(Ask(Packet.Query("cluster.local", 2)).Answers).Data);
    }

    [Fact]
    [Trait("Row", "SVC-N4")]
    public void A_headless_Service_is_its_ready_Pods_in_turned_order()
    {
        var firsts = new HashSet<string>();
        for (var i = 0; i < 60; i++)
        {
            var reply = Ask(Packet.Query(Pods, 1));
            Assert.Equal(["127.80.0.1", "127.80.0.2", "127.80.0.3"], reply.Answers.Select(record => record.Data).Order());
            firsts.Add(reply.Answers[0].Data);
        }

        Assert.Equal(3, firsts.Count);
    }

    [Fact]
    [Trait("Row", "SVC-N8")]
    public void A_named_port_is_a_service_record_with_the_address_beside_it()
    {
        var reply = Ask(Packet.Query("_http._tcp." + Web, 33));
        Assert.Equal("0 100 80 " + Web, Assert.Single(reply.Answers).Data);
        Assert.Equal("127.96.0.10", Assert.Single(reply.Additional).Data);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [Trait("Row", "REL-D07")]
    public void A_packet_without_a_whole_header_is_dropped(int length) =>
        Assert.Empty(Respond(Packet.Query(Web, 1)[..length]));

    [Fact]
    [Trait("Row", "REL-D06")]
    public void A_response_is_never_answered() => Assert.Empty(Respond(Packet.Query(Web, 1, flags: 0x81)));

    [Fact]
    [Trait("Row", "REL-D08")]
    public void A_question_cut_short_is_malformed_and_keeps_its_id()
    {
        var whole = Packet.Query(Web, 1);
        for (var length = 12; length < whole.Length; length++)
        {
            var reply = Ask(whole[..length]);
            Assert.Equal((1, Packet.Id), (reply.Code, reply.Id));
        }
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(5, 2)]
    [InlineData(7, 1)]
    [InlineData(9, 1)]
    [InlineData(11, 1)]
    [Trait("Row", "REL-D09")]
    [Trait("Row", "REL-D10")]
    [Trait("Row", "REL-D11")]
    public void Counts_other_than_one_question_are_malformed(int at, byte count)
    {
        var packet = Packet.Query(Web, 1);
        packet[at] = count;
        Assert.Equal(1, Ask(packet).Code);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(15)]
    [Trait("Row", "REL-D12")]
    public void Other_opcodes_are_not_implemented(byte opcode)
    {
        foreach (var overTcp in (bool[])[false, true])
        {
            var reply = new Reply(Respond(_responder, Packet.Query(Web, 1, flags: (byte)(opcode << 3)), overTcp));
            Assert.Equal((4, (int)opcode), (reply.Code, reply.Opcode));
            Assert.Empty(reply.Answers);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(255)]
    [InlineData(0)]
    [Trait("Row", "REL-D13")]
    public void Classes_other_than_Internet_are_refused(ushort @class) => Assert.Equal(5, Ask(Packet.Query(Web, 1, @class)).Code);

    [Fact]
    [Trait("Row", "REL-D14")]
    public void Any_is_answered_with_one_small_record()
    {
        var query = Packet.Query(Web, 255);
        var reply = Ask(query);
        Assert.Equal(13, Assert.Single(reply.Answers).Type);
        Assert.True(reply.Length <= query.Length + 80);
    }

    [Theory]
    [InlineData(252, 5)]
    [InlineData(251, 5)]
    [InlineData(41, 1)]
    [InlineData(250, 1)]
    [InlineData(0, 1)]
    [Trait("Row", "REL-D15")]
    [Trait("Row", "REL-D16")]
    [Trait("Row", "SVC-N29")]
    public void Transfers_are_refused_and_types_that_are_no_question_malformed(ushort type, int code) =>
        Assert.Equal(code, Ask(Packet.Query("cluster.local", type)).Code);

    private static string Longest => string.Concat(Enumerable.Repeat(new string('a', 63) + ".", 3));

    public static TheoryData<string, byte[]> BadNames => new()
    {
        { "pointer to itself", [0xC0, 12] },
        { "pointer forward", [0xC0, 20] },
        { "pointer past the end", [0xFF, 0xFF] },
        { "pointer into the header", [0xC0, 0] },
        { "chain of pointers", [.. Enumerable.Range(0, 127).SelectMany(i => new byte[] { 0xC0, (byte)(14 + (2 * i)) })] },
        { "label of 64", [64, .. new byte[64], 0] },
        { "name of 257", [.. Packet.Name(string.Join('.', Enumerable.Repeat(new string('a', 63), 4)))] },
        { "name of exactly 256", Packet.Name(Longest + new string('b', 62)) },
        { "label type 0x40", [0x41, 0, 0] },
        { "label type 0x80", [0x80, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(BadNames))]
    [Trait("Row", "REL-D17")]
    [Trait("Row", "REL-D18")]
    [Trait("Row", "REL-D19")]
    public void Names_that_are_not_names_are_malformed(string what, byte[] name)
    {
        byte[] packet = [.. Packet.Query("", 1)[..12], .. name, 0, 1, 0, 1];
        Assert.True(Ask(packet).Code == 1, what);
    }

    [Fact]
    [Trait("Row", "REL-D18")]
    public void A_name_of_255_octets_is_a_name()
    {
        var longest = Packet.Name(Longest + new string('b', 47) + ".cluster.local");
        Assert.Equal(255, longest.Length);
        Assert.Equal(3, Ask([.. Packet.Query("", 1)[..12], .. longest, 0, 1, 0, 1]).Code);
    }

    [Theory]
    [InlineData("we\0b")]
    [InlineData("we\nb")]
    [InlineData("we\u00FFb")]
    [Trait("Row", "REL-D20")]
    public void Strange_bytes_in_a_label_name_nothing(string label) =>
        Assert.Equal(3, Ask(Packet.Query(label + ".default.svc.cluster.local", 1)).Code);

    [Fact]
    [Trait("Row", "REL-D20")]
    public void A_dot_inside_a_label_does_not_split_it()
    {
        byte[] name = [11, .. "web.default"u8, 3, .. "svc"u8, 7, .. "cluster"u8, 5, .. "local"u8, 0];
        Assert.Equal(3, Ask([.. Packet.Query("", 1)[..12], .. name, 0, 1, 0, 1]).Code);
    }

    [Fact]
    [Trait("Row", "REL-D21")]
    public void A_later_EDNS_version_is_answered_with_the_version_spoken_here()
    {
        var reply = Ask(Packet.Query(Web, 1, opt: Packet.Opt(1232, version: 1)));
        Assert.Equal(16, reply.Code);
        Assert.Equal(0, Assert.Single(reply.Additional).Version);
        Assert.Empty(reply.Answers);
    }

    public static TheoryData<string, byte[]> BadOpts
    {
        get
        {
            var answer = Packet.Query(Web, 1, opt: Packet.Opt(1232));
            (answer[7], answer[11]) = (1, 0);
            var two = Packet.Query(Web, 1, opt: [.. Packet.Opt(1232), .. Packet.Opt(1232)]);
            two[11] = 2;
            return new()
            {
                { "two OPT", two },
                { "OPT not of the root", Packet.Query(Web, 1, opt: [1, (byte)'a', .. Packet.Opt(1232)]) },
                { "OPT as an answer", answer },
                { "option longer than its record", Packet.Query(Web, 1, opt: Packet.Opt(1232, options: [0, 10, 0, 9, 1])) },
                { "half an option", Packet.Query(Web, 1, opt: Packet.Opt(1232, options: [0, 10, 0])) },
            };
        }
    }

    [Theory]
    [MemberData(nameof(BadOpts))]
    [Trait("Row", "REL-D22")]
    [Trait("Row", "REL-D23")]
    [Trait("Row", "REL-D24")]
    [Trait("Row", "REL-D26")]
    public void Malformed_EDNS_is_malformed(string what, byte[] packet) => Assert.True(Ask(packet).Code == 1, what);

    [Fact]
    [Trait("Row", "REL-D27")]
    [Trait("Row", "REL-D28")]
    [Trait("Row", "REL-D29")]
    public void Unknown_options_and_other_bits_change_nothing_and_CD_and_DO_come_back()
    {
        var packet = Packet.Query(Web, 1, opt: Packet.Opt(1232, options: [0, 10, 0, 2, 1, 2, 0xFF, 0, 0, 0]));
        packet[3] = 0x70; // Z, AD, CD
        packet[^14] |= 0x80; // DO
        var reply = Ask(packet);
        Assert.Equal("127.96.0.10", Assert.Single(reply.Answers).Data);
        Assert.False(reply.AuthenticData);
        Assert.True(reply.CheckingDisabled && Assert.Single(reply.Additional).WantsSecurity);
        var plain = Ask(Packet.Query(Web, 1, opt: Packet.Opt(1232)));
        Assert.False(plain.CheckingDisabled || Assert.Single(plain.Additional).WantsSecurity);
    }

    [Theory]
    [InlineData(null, 512)]
    [InlineData(0, 512)]
    [InlineData(511, 512)]
    [InlineData(900, 900)]
    [InlineData(4096, 1232)]
    [InlineData(65535, 1232)]
    [Trait("Row", "SVC-N31")]
    [Trait("Row", "REL-D25")]
    [Trait("Row", "REL-D30")]
    public void What_the_client_cannot_take_over_UDP_is_truncated_and_whole_over_TCP(int? payload, int limit)
    {
        var responder = SomeCluster.Responder(SomeCluster.With(headlessEndpoints: 1000));
        var query = Packet.Query(Pods, 1, opt: payload is { } size ? Packet.Opt((ushort)size) : null);
        var udp = new Reply(Respond(responder, query, overTcp: false));
        Assert.True(udp.IsTruncated);
        Assert.True(udp.Length <= limit);
        Assert.Empty(udp.Answers);
        var tcp = new Reply(Respond(responder, query, overTcp: true));
        Assert.False(tcp.IsTruncated);
        Assert.Equal(1000, tcp.Answers.Select(record => record.Data).Distinct().Count());
    }

    [Fact]
    [Trait("Row", "REL-D30")]
    public void More_than_a_message_holds_is_a_part_of_it_over_TCP()
    {
        var responder = SomeCluster.Responder(SomeCluster.With(headlessEndpoints: 5000));
        var reply = new Reply(Respond(responder, Packet.Query(Pods, 1), overTcp: true));
        Assert.False(reply.IsTruncated);
        Assert.True(reply.Answers.Count > 4000);
    }

    [Fact]
    [Trait("Row", "SVC-N28")]
    public void Before_the_first_sync_an_unknown_name_is_a_failure_and_a_known_one_an_answer()
    {
        var responder = SomeCluster.Responder(SomeCluster.With(synced: false));
        Assert.Equal(2, new Reply(Respond(responder, Packet.Query("gone.default.svc.cluster.local", 1), overTcp: false)).Code);
        Assert.Equal(0, new Reply(Respond(responder, Packet.Query(Web, 1), overTcp: false)).Code);
    }

    [Fact]
    public void A_record_beside_the_answer_and_the_OPT_are_both_counted()
    {
        var reply = Ask(Packet.Query("_http._tcp." + Web, 33, opt: Packet.Opt(1232)));
        Assert.Equal([1, 41], reply.Additional.Select(record => record.Type));
    }

    [Fact]
    public void No_bytes_make_it_fail_and_every_answer_is_well_formed()
    {
        var seeds = new[]
        {
            Packet.Query(Web, 1, opt: Packet.Opt(1232, options: [0, 10, 0, 2, 1, 2])),
            Packet.Query(Pods, 255),
            Packet.Query("_http._tcp." + Web, 33),
            Packet.Query("1.0.96.127.in-addr.arpa", 12),
        };
        var codes = new int[17];
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Int[0, 10_000], Gen.Byte, Gen.Int[0, 10_000]).Sample(
            (seed, at, value, cut) =>
            {
                var packet = seeds[seed].ToArray();
                packet[at % packet.Length] = value;
                packet = cut % 4 == 0 ? packet[..(cut % packet.Length)] : packet;
                var response = Respond(packet);
                if (response.Length > 0)
                {
                    Interlocked.Increment(ref codes[new Reply(response).Code]);
                }
            },
            iter: 200_000);
        Assert.All([0, 1, 3, 4, 5], code => Assert.True(codes[code] > 100, $"code {code} was reached {codes[code]} times"));
    }

    private Reply Ask(byte[] packet) => new(Respond(packet));

    private byte[] Respond(byte[] packet) => Respond(_responder, packet, overTcp: false);

    private static byte[] Respond(DnsResponder responder, byte[] packet, bool overTcp)
    {
        var buffer = new byte[overTcp ? DnsResponder.MaxTcpPayload : DnsResponder.MaxUdpPayload];
        return buffer[..responder.Respond(packet, buffer, overTcp, out _, out _)];
    }
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Mesh.Core.Certificates;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing.Certificates;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L7.Tls;

/// <summary>Which certificate a client is shown, and what becomes of clients that are slow, odd, or none at all.</summary>
public sealed class HandshakeTests : IDisposable
{
    private const int Limit = 30_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

    // RFC 4346 §7.4.1.2: a record of version 3.1 with a ClientHello of version 3.2, a random, no session, four suites, no compression.
    private static readonly string HelloOfTls11 =
        "\u0016\u0003\u0001\u0000\u0033\u0001\u0000\u0000\u002f\u0003\u0002" + new string('r', 32)
        + "\u0000\u0000\u0008\u00c0\u0013\u00c0\u0009\u0000\u002f\u0000\u0035\u0001\u0000";

    private readonly TestAuthority _authority = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-T01")]
    [Trait("Row", "ING-T02")]
    [Trait("Row", "ING-T06")]
    public async Task Each_name_is_shown_its_own_certificate_with_its_chain_and_every_other_the_default_one()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        var (exact, wild, other) = (_authority.Issue("a.test"), _authority.IssueRsa(2048, "*.b.test"), _authority.Issue("default"));
        host.Routes.DefaultCertificate(other.Bundle);
        host.Routes.Tls("shop", "web", false, ("a.test", "exact"), ("*.b.test", "wild"), ("c.test", "missing"), ("d.test", null));
        host.Routes.Certificate("exact", exact.Bundle);
        host.Routes.Certificate("wild", wild.Bundle);

        (string Name, TestCertificate Shown)[] cases =
            [("a.test", exact), ("A.TEST", exact), ("x.b.test", wild), ("y.x.b.test", other), ("b.test", other), ("c.test", other), ("d.test", other), ("nobody.example", other), ("", other)];
        foreach (var (name, shown) in cases)
        {
            using var client = await TlsClient.ConnectAsync(host.TlsAddress, name, Stop);
            Assert.True(client.Thumbprint == shown.Thumbprint, name);
            Assert.Equal(2, client.Shown);
        }

        host.Routes.RemoveCertificate("exact");
        using var last = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        Assert.Equal(other.Thumbprint, last.Thumbprint);
        Assert.Empty(host.Errors.Entries);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-T09")]
    [Trait("Row", "REL-X02")]
    public async Task The_name_of_the_handshake_chooses_the_certificate_and_that_of_the_request_the_route()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        var pair = _authority.Issue("a.test");
        host.Routes.Tls("shop", "web", false, ("a.test", "t"));
        host.Routes.Certificate("t", pair.Bundle);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n", Stop);
        Assert.Equal(404, (await client.AnswerAsync(Stop))!.Status);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "ING-T12")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_1_2_and_1_3_are_spoken_with_http_1_1_inside(SslProtocols protocol)
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop, protocol, [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]);
        Assert.Equal((protocol, SslApplicationProtocol.Http11), (client.Stream.SslProtocol, client.Stream.NegotiatedApplicationProtocol));
        for (var request = 0; request < 3; request++)
        {
            await client.SendAsync(Get, Stop);
            Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        }

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        Assert.Equal("", await client.ToEndAsync(Stop)); // close_notify, not a cut
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-T12")]
    public async Task Older_versions_and_a_client_of_HTTP_2_alone_are_refused_by_an_alert()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        using var old = await RawClient.ConnectAsync(host.TlsAddress, Stop);
        await old.SendAsync(HelloOfTls11, Stop); // raw, as the library here may not offer that version at all
        var alert = await old.ToEndAsync(Stop);
        Assert.Equal(('\u0015', "\u0002\u0046"), (alert[0], alert[^2..])); // fatal, protocol_version (RFC 8446 §6)
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop, alpn: [SslApplicationProtocol.Http2]));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-T05")]
    [Trait("Row", "ING-L05")]
    public async Task A_new_certificate_is_shown_to_new_clients_and_connections_that_are_open_stay()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        host.Routes.Tls("shop", "web", false, ("a.test", "t"));
        var before = _authority.Issue("a.test");
        host.Routes.Certificate("t", before.Bundle);
        using var open = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        for (var turn = 0; turn < 20; turn++)
        {
            var next = turn % 2 == 0 ? _authority.Issue("a.test") : _authority.IssueRsa(2048, "a.test");
            host.Routes.Certificate("t", next.Bundle);
            using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
            Assert.Equal(next.Thumbprint, client.Thumbprint);
            await open.SendAsync(Get, Stop);
            Assert.Equal(200, (await open.AnswerAsync(Stop))!.Status);
        }

        Assert.Equal(before.Thumbprint, open.Thumbprint);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X11")]
    public async Task A_client_that_stalls_is_cut_off_when_its_time_is_over_and_nobody_waits_for_it()
    {
        var time = new FakeTimeProvider();
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend, time: time);
        using var silent = await RawClient.ConnectAsync(host.TlsAddress, Stop);
        using var slow = await RawClient.ConnectAsync(host.TlsAddress, Stop);
        await slow.SendAsync("\u0016\u0003\u0001\u0002\u0000\u0001", Stop);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        await client.SendAsync(Get, Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);

        var ends = Task.WhenAll(silent.IsClosedAsync(Stop), slow.IsClosedAsync(Stop));
        while (!ends.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(5)); // until both timers were armed
            await Task.Yield();
        }

        Assert.All(await ends, Assert.True);
        await client.SendAsync(Get, Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status); // whose handshake is done has no such limit
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X11")]
    public async Task Of_too_many_handshakes_the_oldest_is_cut_off_and_the_newest_done()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend, new IngressOptions { MaxHandshakes = 2 });
        var stalling = new List<RawClient>();
        for (var count = 0; count < 5; count++)
        {
            stalling.Add(await RawClient.ConnectAsync(host.TlsAddress, Stop));
            await stalling[^1].SendAsync("\u0016", Stop);
        }

        Assert.True(await stalling[0].IsClosedAsync(Stop));
        Assert.True(await stalling[1].IsClosedAsync(Stop));
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        await client.SendAsync(Get, Stop);
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        stalling.ForEach(stalled => stalled.Dispose());
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "REL-X11")]
    public async Task A_hello_that_never_ends_is_cut_off_at_its_limit()
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        using var client = await RawClient.ConnectAsync(host.TlsAddress, Stop);
        var record = "\u0016\u0003\u0001\u0010\u0000" + new string('\u0000', 4096);
        await client.SendAsync("\u0016\u0003\u0001\u0000\u0004\u0001\u00ff\u00ff\u00ff" + string.Concat(Enumerable.Repeat(record, 5)), Stop);
        Assert.True(await client.IsClosedAsync(Stop));
        Assert.Empty(host.Errors.Entries);
    }

    [Theory(Timeout = Limit)]
    [Trait("Row", "REL-H193")]
    [Trait("Row", "REL-H195")]
    [InlineData("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", true)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true)]
    [InlineData("\u0000\u0001\u0002 noise", false)]
    public async Task Plain_HTTP_is_told_that_it_is_at_the_wrong_port_and_noise_is_closed(string bytes, bool isTold)
    {
        await using var backend = new RecordingBackend();
        await using var host = await StartAsync(backend);
        using var client = await RawClient.ConnectAsync(host.TlsAddress, Stop);
        await client.SendAsync(bytes, Stop);
        var answer = await client.AnswerAsync(Stop);
        Assert.Equal(isTold ? "MalformedRequest: this is plain HTTP at a port that speaks HTTPS\n" : null, answer?.Body);
        Assert.True(await client.IsClosedAsync(Stop));
        Assert.Equal("", backend.Received);
    }

    [Fact(Timeout = Limit)]
    public async Task Without_any_certificate_a_handshake_is_closed_and_a_broken_one_is_the_default_one()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        await Assert.ThrowsAnyAsync<Exception>(() => TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop));

        var other = _authority.Issue("default");
        host.Routes.DefaultCertificate(other.Bundle);
        host.Routes.Tls("shop", "web", false, ("a.test", "t"));
        host.Routes.Certificate("t", "no certificate"u8.ToArray());
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
        Assert.Equal(other.Thumbprint, client.Thumbprint);
        Assert.Contains("The certificate of Secret default/t, which the control plane took, is not taken here", Assert.Single(host.Errors.Entries), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "ING-T04")]
    public async Task A_chain_that_the_library_refuses_in_a_handshake_is_not_told_and_the_default_one_is_shown()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        var other = _authority.Issue("default");
        host.Routes.DefaultCertificate(other.Bundle);
        host.Routes.Tls("shop", "web", false, ("a.test", "t"));
        (TestCertificate Pair, bool IsShown)[] cases =
        [
            (_authority.IssueThrough(2048, HashAlgorithmName.SHA256, "a.test"), true),
            (_authority.IssueThrough(2048, HashAlgorithmName.SHA1, "a.test"), false),
            (_authority.IssueThrough(2048, HashAlgorithmName.MD5, "a.test"), false),
            (_authority.IssueThrough(1024, HashAlgorithmName.SHA256, "a.test"), false),
            (TestAuthority.SelfSigned(HashAlgorithmName.SHA1, "a.test"), true),
        ];
        foreach (var (pair, isShown) in cases)
        {
            if (CertificateSecret.Read(Encoding.UTF8.GetBytes(pair.Secret("default", "t"))) is SecretCertificate.Usable usable)
            {
                host.Routes.Certificate("t", usable.Certificate.Pem.ToArray());
            }
            else
            {
                host.Routes.RemoveCertificate("t");
            }

            using var client = await TlsClient.ConnectAsync(host.TlsAddress, "a.test", Stop);
            Assert.Equal(isShown ? pair.Thumbprint : other.Thumbprint, client.Thumbprint);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task The_gateway_listens_and_follows_its_endpoints_while_it_still_makes_its_certificates()
    {
        var other = _authority.Issue("default");
        using var log = new HeldLog();
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")], logs: log, known: routes =>
        {
            routes.DefaultCertificate(other.Bundle);
            routes.Tls("shop", "web", false, ("slow.test", "t"));
            routes.Certificate("t", "no certificate"u8.ToArray());
        });
        try
        {
            await log.Reached; // the making of one goes on and on
            using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop);
            Assert.Equal(other.Thumbprint, client.Thumbprint);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
            Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
            host.Routes.Service("web", "127.97.0.1", 80);
            await (await backend.AcceptedAsync(Stop)).Ended.WaitAsync(Stop); // kept for the next request until its endpoint went
        }
        finally
        {
            log.LetGo();
        }
    }

    private async Task<GatewayHost> StartAsync(RecordingBackend backend, IngressOptions? options = null, TimeProvider? time = null)
    {
        var host = await GatewayHost.StartAsync([backend.Pod("web-1")], options, time: time);
        host.Routes.DefaultCertificate(_authority.Issue("default").Bundle);
        host.Routes.Ingress("a", "a.test", ("/", "Prefix", "web"));
        return host;
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Agent.Probes;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>What an httpGet probe sends, byte by byte, and what it takes from an answer.</summary>
public sealed class HttpProbeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S-F11")]
    public async Task Each_header_is_sent_as_it_was_written_also_one_of_a_content_and_one_twice()
    {
        using var server = new CountingServer();
        var asked = TryAsync(server.Port, headers: [("Content-Type", "application/json"), ("X-Two", "a, b"), ("x-two", "c"), ("Expires", "0"), ("Accept", "text/plain"), ("Host", "web.example.com"), ("Content-Length", "7")]);
        await server.AnswerAsync(200, Stop);

        Assert.IsType<ProbeOutcome.Passed>(await asked);
        Assert.Equal(
            "GET / HTTP/1.1\r\nHost: web.example.com\r\nUser-Agent: kube-probe/mesh\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nX-Two: a, b\r\nx-two: c\r\nExpires: 0\r\nAccept: text/plain\r\n\r\n",
            server.Requests.Single());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_header_that_would_be_another_line_is_not_sent()
    {
        using var server = new CountingServer();

        Assert.Contains("cannot be sent", Why(await TryAsync(server.Port, headers: [("X-A", "b\r\nX-C: d")])), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "S-F12")]
    [InlineData("/real?x=1", "GET /real?x=1 HTTP/1.1")]
    [InlineData("real", "GET /health/real HTTP/1.1")]
    [InlineData("http://127.0.0.1:PORT/a%7Eb", "GET /a%7Eb HTTP/1.1")]
    public async Task A_redirect_on_the_same_host_is_followed_and_what_is_there_decides(string location, string next)
    {
        using var server = new CountingServer();
        var asked = TryAsync(server.Port, "/health/", [("X-A", "b")]);
        await server.AnswerAsync(302, location.Replace("PORT", $"{server.Port}", StringComparison.Ordinal), Stop);
        await server.AnswerAsync(503, Stop);

        Assert.Equal("HTTP probe failed with status 503", Why(await asked));
        Assert.StartsWith(next, server.Requests[1], StringComparison.Ordinal);
        Assert.Contains("X-A: b\r\n", server.Requests[1], StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "S-F12")]
    [InlineData(302, "http://169.254.169.254/")]
    [InlineData(307, "//web.example.com/")]
    [InlineData(304, "/elsewhere")]
    public async Task A_redirect_to_another_host_has_passed_and_is_not_followed(int status, string location)
    {
        using var server = new CountingServer();
        var asked = TryAsync(server.Port);
        await server.AnswerAsync(status, location, Stop);

        Assert.IsType<ProbeOutcome.Passed>(await asked);
        Assert.Single(server.Requests);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "S-F12")]
    public async Task Redirects_in_a_circle_end_after_ten_and_none_leads_to_a_port_of_Mesh()
    {
        using var server = new CountingServer();
        var asked = TryAsync(server.Port);
        for (var i = 0; i < 11; i++)
        {
            await server.AnswerAsync(301, "/again", Stop);
        }

        Assert.Equal("stopped after 10 redirects", Why(await asked));

        using var own = new TcpListener(IPAddress.Loopback, 0);
        own.Start();
        asked = TryAsync(server.Port, rule: new EndpointRule(null, [(IPEndPoint)own.LocalEndpoint], []));
        await server.AnswerAsync(301, $"http://{own.LocalEndpoint}/", Stop);
        Assert.Equal($"{own.LocalEndpoint} is where Mesh itself listens", Why(await asked));
        Assert.False(own.Pending());
    }

    [Theory(Timeout = 60_000)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", null)]
    [InlineData("HTTP/1.0 204 No Content\r\n\r\n", null)]
    [InlineData("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", null)]
    [InlineData("HTTP/1.1 101 Switching\r\n\r\n", "HTTP probe failed with status 101")]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n", "what came is no answer of HTTP/1.1")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "what came is no answer of HTTP/1.1")]
    [InlineData("HTTP/1.1 200 OK\r\n", "what came is no answer of HTTP/1.1")]
    [InlineData("", "what came is no answer of HTTP/1.1")]
    public async Task The_status_of_an_answer_decides_in_whatever_pieces_it_comes(string answer, string? failure)
    {
        foreach (var piece in (int[])[1, 1000])
        {
            using var server = new CountingServer();
            var asked = TryAsync(server.Port);
            using (var socket = await server.AcceptAsync(Stop))
            {
                socket.NoDelay = true;
                foreach (var part in Encoding.ASCII.GetBytes(answer).Chunk(piece))
                {
                    await socket.SendAsync(part, Stop);
                }

                socket.Shutdown(SocketShutdown.Send);
                var outcome = await asked;
                Assert.Equal(failure is null, outcome is ProbeOutcome.Passed);
                Assert.EndsWith(failure ?? "", (outcome as ProbeOutcome.Failure)?.Why ?? "", StringComparison.Ordinal);
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_is_asked_over_TLS_whatever_its_certificate_says()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=someone-else", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var asked = TryAsync(((IPEndPoint)listener.LocalEndpoint).Port, scheme: "HTTPS", headers: [("Host", "web.example.com:8443")]);
        using var client = await listener.AcceptTcpClientAsync(Stop);
        await using var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Stop);
        Assert.Equal("web.example.com", stream.TargetHostName);
        var request = new byte[4096];
        var length = await stream.ReadAsync(request, Stop);
        Assert.StartsWith("GET / HTTP/1.1\r\nHost: web.example.com:8443\r\n", Encoding.ASCII.GetString(request, 0, length), StringComparison.Ordinal);
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Stop);

        Assert.IsType<ProbeOutcome.Passed>(await asked);
    }

    private static string Why(ProbeOutcome outcome) => Assert.IsAssignableFrom<ProbeOutcome.Failure>(outcome).Why;

    private static Task<ProbeOutcome> TryAsync(
        int port, string path = "/", ImmutableArray<(string Name, string Value)> headers = default, string scheme = "HTTP", EndpointRule? rule = null)
    {
        var probe = new Probe
        {
            Action = new ProbeAction.HttpGet(scheme, null, new PortReference(port, null), path, headers.IsDefault ? [] : headers),
            Timeout = TimeSpan.FromSeconds(60),
        };
        return new ProbeRunner(TimeProvider.System) { Rule = rule ?? EndpointRule.Unconfigured }.TryAsync(ProbeSpec.Of(probe, IPAddress.Loopback, []), Stop);
    }
}

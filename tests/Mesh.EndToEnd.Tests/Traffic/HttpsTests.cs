using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.EndToEnd.Tests.Survival;
using Mesh.Testing;
using Mesh.Testing.Certificates;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>HTTPS at the Ingress as curl and openssl see it, while Secrets change and processes die.</summary>
public sealed class HttpsTests : IDisposable
{
    private const string Secrets = "/api/v1/namespaces/default/secrets";
    private const string Ingress = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/web";
    private const string Web = "web.example.com";
    private const string Other = "x.shop.example.com";

    private static readonly string Node = Path.Combine(Path.GetDirectoryName(BuiltProgram.Silo)!, "node", "mesh-node");
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private readonly TestAuthority _authority = new();
    private readonly string _files = TestDirectory.Make("mesh-https-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string RootFile => Path.Combine(_files, "root.pem");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_files, recursive: true);
    }

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ING-T02")]
    [Trait("Row", "ING-T05")]
    [Trait("Row", "ING-T08")]
    [Trait("Row", "REL-X11")]
    public async Task Names_have_their_certificates_through_rotation_and_without_a_silo_also_after_the_nodes_restart()
    {
        await File.WriteAllTextAsync(RootFile, _authority.RootPem, Stop);
        await using var served = await ServedMachine.StartAsync();
        var machine = served.Machine;
        using var api = machine.Api();
        Assert.Contains("no rule for host localhost", await CurlAsync(machine, "localhost", Path.Combine(machine.DataDir, "ca.crt")), StringComparison.Ordinal);

        await PatchAsync(api, Ingress, $$$"""{"spec":{"tls":[{"hosts":["{{{Web}}}"],"secretName":"web"},{"hosts":["*.shop.example.com"],"secretName":"shop"}]}}""");
        Assert.Contains("Secret default/web does not exist", await SomeService.ToldAsync(api, "web", "SecretNotFound", Soon), StringComparison.Ordinal);
        await PutAsync(api, "web", _authority.Issue(Web));
        await PutAsync(api, "shop", _authority.IssueRsa(2048, "*.shop.example.com"));
        await Eventually.Meets("the certificate of the Secret", _ => CurlAsync(machine, Web, RootFile), answer => answer.Contains("web-", StringComparison.Ordinal), Soon);
        await Eventually.Meets("that of one label", _ => CurlAsync(machine, Other, RootFile), answer => answer.Contains("no rule for host", StringComparison.Ordinal), Soon);

        await ResumesAsync(machine, "-tls1_2");
        await ResumesAsync(machine, "-tls1_3");
        await RotatesAsync(machine, api);

        await WrittenJournal.OfAsync(machine);
        await machine.KillSiloAsync(Stop);
        Assert.Contains("web-", await CurlAsync(machine, Web, RootFile), StringComparison.Ordinal);
        Signals.Kill(machine.NodePid);
        await using var node = ProcessUnderTest.Start(Node, ["--data-dir", machine.DataDir]);
        await Eventually.Meets("a node without a silo", _ => CurlAsync(machine, Web, RootFile), answer => answer.Contains("HTTP/1.1 ", StringComparison.Ordinal), Soon);
        await served.RegisterAgainAsync();
        Assert.Contains("web-", await CurlAsync(machine, Web, RootFile), StringComparison.Ordinal);
        Assert.Contains("NotSynced: ", await CurlAsync(machine, "localhost", Path.Combine(machine.DataDir, "ca.crt")), StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", machine.NodeLog, StringComparison.Ordinal);
    }

    /// <summary>The answer, head and body, or what curl says instead.</summary>
    private static async Task<string> CurlAsync(SiloUnderTest machine, string host, string authority)
    {
        var port = machine.IngressTls.Port;
        return await RunAsync("curl", "-sSi", "-m", "10", "--noproxy", "*", "--cacert", authority, "--resolve", $"{host}:{port}:127.0.0.1", $"https://{host}:{port}/");
    }

    /// <summary>A session is resumed, until its certificate is replaced; a renegotiation is refused.</summary>
    private async Task ResumesAsync(SiloUnderTest machine, string version)
    {
        var session = Path.Combine(_files, "session" + version);
        var client = $"openssl s_client -connect {machine.IngressTls} -servername {Web} -CAfile {RootFile} -verify_return_error {version} -alpn http/1.1 -ign_eof";
        var request = $"printf 'GET / HTTP/1.1\\r\\nHost: {Web}\\r\\nConnection: close\\r\\n\\r\\n' |";
        Assert.Contains("\nNew, ", await RunAsync("sh", "-c", $"{request} {client} -sess_out {session} 2>&1"), StringComparison.Ordinal);
        var resumed = await RunAsync("sh", "-c", $"{request} {client} -sess_in {session} 2>&1");
        Assert.Contains("\nReused, ", resumed, StringComparison.Ordinal);
        Assert.Contains("ALPN protocol: http/1.1", resumed, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 200 OK", resumed, StringComparison.Ordinal);
        if (version == "-tls1_2")
        {
            // Its input stays open, so that it is the answer that ends it.
            var input = Path.Combine(_files, "input");
            var refused = await RunAsync("sh", "-c", $"mkfifo {input}; exec 3<>{input}; echo R >&3; timeout 20 openssl s_client -connect {machine.IngressTls} {version} <{input} 2>&1");
            Assert.Matches("(?s)RENEGOTIATING.*(unexpected eof|no renegotiation|reset)", refused);
        }
    }

    /// <summary>2,000 handshakes while the certificate changes: none fails, and a session of an old certificate is not resumed.</summary>
    private async Task RotatesAsync(SiloUnderTest machine, HttpClient api)
    {
        using var done = new CancellationTokenSource();
        var rotating = Task.Run(
            async () =>
            {
                var turns = 0;
                for (; !done.IsCancellationRequested; turns++)
                {
                    await PutAsync(api, "web", turns % 2 == 0 ? _authority.Issue(Web) : _authority.IssueRsa(2048, Web));
                }

                return turns;
            },
            Stop);
        HashSet<string>[] seen;
        try
        {
            seen = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => HandshakesAsync(machine, 500)));
        }
        finally
        {
            await done.CancelAsync();
            await ((Task)rotating).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // also of a test that has failed
        }

        Assert.True(await rotating > 1);
        Assert.True(seen.SelectMany(thumbprints => thumbprints).Distinct().Count() > 2);

        var last = _authority.Issue(Web);
        await PutAsync(api, "web", last);
        await Eventually.Meets("the last certificate", async _ => (await HandshakesAsync(machine, 1)).Single(), shown => shown == last.Thumbprint, Soon);
        foreach (var version in new[] { "-tls1_2", "-tls1_3" })
        {
            var old = await RunAsync("sh", "-c", $"openssl s_client -connect {machine.IngressTls} -servername {Web} {version} -sess_in {Path.Combine(_files, "session" + version)} </dev/null 2>&1");
            Assert.Contains("\nNew, ", old, StringComparison.Ordinal);
        }
    }

    /// <summary>As many requests, each on a connection of its own; the certificates that were shown.</summary>
    private async Task<HashSet<string>> HandshakesAsync(SiloUnderTest machine, int count)
    {
        var seen = new HashSet<string>();
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { _authority.Root }, RevocationMode = X509RevocationMode.NoCheck };
        var buffer = new byte[4096];
        for (var request = 0; request < count; request++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(machine.IngressTls, Stop);
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Web, CertificateChainPolicy = policy, AllowTlsResume = false }, Stop);
            seen.Add(((X509Certificate2)tls.RemoteCertificate!).Thumbprint);
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {Web}\r\nConnection: close\r\n\r\n"), Stop);
            var read = await tls.ReadAtLeastAsync(buffer, 12, throwOnEndOfStream: false, Stop);
            Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(buffer, 0, Math.Min(read, 12)));
        }

        return seen;
    }

    private static async Task PutAsync(HttpClient api, string name, TestCertificate pair)
    {
        var document = pair.Secret("default", name).Replace($"\"uid\":\"uid-{name}\"", "\"labels\":{}", StringComparison.Ordinal);
        using var content = new StringContent(document, Encoding.UTF8, "application/json");
        using var replaced = await api.PutAsync($"{Secrets}/{name}", content, Stop);
        if (replaced.StatusCode == HttpStatusCode.NotFound)
        {
            using var again = new StringContent(document, Encoding.UTF8, "application/json");
            using var created = await api.PostAsync(Secrets, again, Stop);
            Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
            return;
        }

        Assert.True(replaced.IsSuccessStatusCode, await replaced.Content.ReadAsStringAsync(Stop));
    }

    private static async Task PatchAsync(HttpClient api, string path, string patch)
    {
        using var content = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var patched = await api.PatchAsync(path, content, Stop);
        Assert.True(patched.IsSuccessStatusCode, await patched.Content.ReadAsStringAsync(Stop));
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var process = ProcessUnderTest.Start(program, arguments);
        var (_, output, errors) = await process.RunToEndAsync(Stop);
        return output + errors;
    }
}

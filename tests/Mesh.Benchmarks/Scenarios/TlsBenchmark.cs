using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Benchmarks.Peers;
using Mesh.Testing.Certificates;
using Mesh.Testing.Processes;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>CPU per request and per handshake of HTTPS at the Ingress, against nginx with the same certificate and backend.</summary>
internal static class TlsBenchmark
{
    private const string Host = "bench.example.com";
    private const int Connections = 16;
    private const double Budget = 1.15;

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("tls: CPU per request and per handshake (TLS 1.3, ECDSA P-256), against nginx");
        using var authority = new TestAuthority();
        var pair = authority.Issue(Host);
        using var backend = new RawBackend();
        var files = TestDirectory.Make("mesh-benchmarks-tls-");
        var (chain, key) = (Path.Combine(files, "tls.crt"), Path.Combine(files, "tls.key"));
        await File.WriteAllTextAsync(chain, pair.Chain, stop);
        await File.WriteAllTextAsync(key, pair.Key, stop);
        await using var nginx = await PeerProcess.StartInstalledAsync("nginx", file => ["-c", file, "-p", files, "-e", "stderr"], port => Configuration(files, port, backend.Port, chain, key), stop);
        if (nginx is null)
        {
            Report.Note("nginx is not installed, so there is nothing to compare with: apt-get install nginx-light");
            return;
        }

        await using var cluster = await BenchCluster.StartAsync();
        await cluster.CreateServiceAsync("web", 8080, headless: false, stop);
        await cluster.CreateAsync("/api/v1/namespaces/default/secrets", Secret(pair), stop);
        await cluster.CreateAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses", Ingress(), stop);
        await cluster.RegisterAsync(1, _ => "web-1", _ => BenchCluster.ReadyPod("web", IPAddress.Loopback, backend.Port), stop);
        var gateway = cluster.Silo.IngressTls;
        await Reached.WhenAsync("the Ingress answers", () => new HttpLoad(gateway, Host, "/", 1, keep: true, tls: true).Run(TimeSpan.FromMilliseconds(1)) > 0, stop);

        Duel("kept connections, a few bytes", "/", keep: true, "µs/request");
        Duel("kept connections, 100 kB", "/bytes/100000", keep: true, "µs/request");
        Duel("a new connection each, whole handshake", "/", keep: false, "µs/connection");

        void Duel(string what, string path, bool keep, string unit) => new CpuDuel(
            cluster.Silo.NodePid,
            nginx.Pid,
            new HttpLoad(gateway, Host, path, Connections, keep, tls: true).Run,
            new HttpLoad(nginx.Endpoint, Host, path, Connections, keep, tls: true).Run).Run($"tls {what}", unit, "nginx", Budget);
    }

    /// <summary>One process, so that its processor time is all of it.</summary>
    private static string Configuration(string files, int port, int backend, string chain, string key) => FormattableString.Invariant($$"""
        daemon off;
        master_process off;
        pid {{files}}/nginx.pid;
        error_log stderr;
        events { worker_connections 1024; }
        http {
            access_log {{files}}/access.log;
            keepalive_requests 1000000000;
            client_body_temp_path {{files}}/body;
            proxy_temp_path {{files}}/proxy;
            fastcgi_temp_path {{files}}/fastcgi;
            uwsgi_temp_path {{files}}/uwsgi;
            scgi_temp_path {{files}}/scgi;
            upstream backend { server 127.0.0.1:{{backend}}; keepalive 32; keepalive_requests 1000000000; }
            server {
                listen 127.0.0.1:{{port}} ssl;
                ssl_certificate {{chain}};
                ssl_certificate_key {{key}};
                ssl_protocols TLSv1.2 TLSv1.3;
                location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
            }
        }

        """);

    private static object Secret(TestCertificate pair) => new
    {
        apiVersion = "v1",
        kind = "Secret",
        type = "kubernetes.io/tls",
        metadata = new { name = "bench" },
        stringData = new Dictionary<string, string> { ["tls.crt"] = pair.Chain, ["tls.key"] = pair.Key },
    };

    private static object Ingress() => new
    {
        apiVersion = "networking.k8s.io/v1",
        kind = "Ingress",
        metadata = new { name = "bench" },
        spec = new
        {
            tls = new[] { new { hosts = new[] { Host }, secretName = "bench" } },
            rules = new[]
            {
                new
                {
                    host = Host,
                    http = new { paths = new[] { new { path = "/", pathType = "Prefix", backend = new { service = new { name = "web", port = new { number = 8080 } } } } } },
                },
            },
        },
    };
}

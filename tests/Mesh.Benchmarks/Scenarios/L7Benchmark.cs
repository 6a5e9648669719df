using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Benchmarks.Peers;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>CPU per request of the node's gateway through an Ingress, against bare YARP with the same backend.</summary>
internal static class L7Benchmark
{
    private const string Host = "bench.example.com";
    private const int Connections = 16;
    private const double Budget = 1.15;

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("l7: CPU per request, kept connections, against bare YARP");
        using var backend = new RawBackend();
        await using var cluster = await BenchCluster.StartAsync();
        await cluster.CreateServiceAsync("web", 8080, headless: false, stop);
        await cluster.CreateAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses", Ingress(), stop);
        await cluster.RegisterAsync(1, _ => "web-1", _ => BenchCluster.ReadyPod("web", IPAddress.Loopback, backend.Port), stop);
        await using var yarp = await PeerProcess.StartOwnAsync(stop, BareWeb.YarpRole, backend.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var gateway = new IPEndPoint(IPAddress.Loopback, cluster.Silo.IngressUrl.Port);
        await Reached.WhenAsync("the Ingress answers", () => new HttpLoad(gateway, Host, "/", 1, keep: true).Run(TimeSpan.FromMilliseconds(1)) > 0, stop);

        Duel("GET, a few bytes", "/", "µs/request");
        Duel("GET, 100 kB", "/bytes/100000", "µs/request");

        void Duel(string what, string path, string unit) => new CpuDuel(
            cluster.Silo.NodePid,
            yarp.Pid,
            new HttpLoad(gateway, Host, path, Connections, keep: true).Run,
            new HttpLoad(yarp.Endpoint, Host, path, Connections, keep: true).Run).Run($"l7 {what}", unit, "bare YARP", Budget);
    }

    private static object Ingress() => new
    {
        apiVersion = "networking.k8s.io/v1",
        kind = "Ingress",
        metadata = new { name = "bench" },
        spec = new
        {
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

using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Benchmarks.Peers;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>CPU of the node's ClusterIP proxy, against HAProxy in TCP mode with the same backend.</summary>
internal static class L4Benchmark
{
    private const int Connections = 16;
    private const int ServicePort = 8080;
    private const double Budget = 2;

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("l4: CPU per request, per connection and per byte, against HAProxy in TCP mode");
        using var backend = new RawBackend();
        await using var haproxy = await PeerProcess.StartInstalledAsync("haproxy", file => ["-db", "-f", file], port => Configuration(port, backend.Port), stop);
        if (haproxy is null)
        {
            Report.Note("haproxy is not installed, so there is nothing to compare with: apt-get install haproxy");
            return;
        }

        await using var cluster = await BenchCluster.StartAsync();
        var clusterIP = await cluster.CreateServiceAsync("web", ServicePort, headless: false, stop);
        await cluster.RegisterAsync(1, _ => "web-1", _ => BenchCluster.ReadyPod("web", IPAddress.Loopback, backend.Port), stop);
        var service = new IPEndPoint(clusterIP!, ServicePort);
        await Reached.WhenAsync("the ClusterIP answers", () => new HttpLoad(service, "web", "/", 1, keep: true).Run(TimeSpan.FromMilliseconds(1)) > 0, stop);

        Duel("kept connections, a few bytes each way", "/", keep: true, "µs/exchange");
        Duel("a new connection each", "/", keep: false, "µs/connection");
        Duel("bytes, in answers of 1 MB", "/bytes/1000000", keep: true, "µs/MB");

        void Duel(string what, string path, bool keep, string unit) => new CpuDuel(
            cluster.Silo.NodePid,
            haproxy.Pid,
            new HttpLoad(service, "web", path, Connections, keep).Run,
            new HttpLoad(haproxy.Endpoint, "web", path, Connections, keep).Run).Run($"l4 {what}", unit, "HAProxy", Budget);
    }

    private static string Configuration(int port, int backend) => FormattableString.Invariant($"""
        global
            maxconn 4096
        defaults
            mode tcp
            timeout connect 5s
            timeout client 60s
            timeout server 60s
        frontend in
            bind 127.0.0.1:{port}
            default_backend out
        backend out
            server one 127.0.0.1:{backend}

        """);
}

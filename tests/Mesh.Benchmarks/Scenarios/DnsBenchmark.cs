using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;
using Mesh.Benchmarks.Peers;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>CPU per query of the node's DNS server, against unbound with the same name as local data.</summary>
internal static class DnsBenchmark
{
    private const string Name = "web.default.svc.cluster.local";
    private const int Askers = 8;
    private const double Budget = 2;

    public static async Task RunAsync(CancellationToken stop)
    {
        Report.Title("dns: CPU per query over UDP, against unbound");
        await using var cluster = await BenchCluster.StartAsync();
        var clusterIP = await cluster.CreateServiceAsync("web", 8080, headless: false, stop);
        await using var unbound = await PeerProcess.StartInstalledAsync("unbound", file => ["-d", "-c", file], port => Configuration(port, clusterIP!), stop);
        if (unbound is null)
        {
            Report.Note("unbound is not installed, so there is nothing to compare with: apt-get install unbound");
            return;
        }

        await Reached.WhenAsync("the name is answered", () => Count(cluster.Silo.Dns) == 1 && Count(unbound.Endpoint) == 1, stop);
        new CpuDuel(
            cluster.Silo.NodePid,
            unbound.Pid,
            duration => DnsLoad.Run(cluster.Silo.Dns, Name, Askers, duration),
            duration => DnsLoad.Run(unbound.Endpoint, Name, Askers, duration)).Run("dns A of a ClusterIP", "µs/query", "unbound", Budget);
    }

    private static int Count(IPEndPoint server)
    {
        using var asker = new DnsLoad(server, Name);
        return asker.Ask();
    }

    private static string Configuration(int port, IPAddress address) => FormattableString.Invariant($"""
        server:
            interface: 127.0.0.1@{port}
            port: {port}
            access-control: 127.0.0.0/8 allow
            do-daemonize: no
            use-syslog: no
            chroot: ""
            username: ""
            pidfile: ""
            local-zone: "cluster.local." static
            local-data: "{Name}. 30 IN A {address}"
        remote-control:
            control-enable: no

        """);
}

using System.Globalization;
using System.Net;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>0.0.0.0 on a machine whose addresses change: a network namespace of its own, with an interface that is the test's to change.</summary>
public sealed class WildcardTests
{
    // The program and its options come as "$0" and "$@".
    private const string WithInterface =
        "ip link set lo up && ip link add mesh0 type veth peer name mesh1 && ip link set mesh0 up && ip link set mesh1 up && exec \"$0\" \"$@\"";

    private const string Listens = "0A"; // TCP_LISTEN, as /proc/net/tcp prints it
    private const string IsBound = "07"; // what it prints for a UDP socket that is not connected

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Ingress_and_DNS_on_a_wildcard_listen_on_each_address_singly_and_follow_the_machine()
    {
        Assert.SkipUnless(await RunAsync("unshare", "-rn", "true") == 0, "this user may make no network namespace");
        await using var machine = SiloUnderTest.Prepare();
        machine.Through = ["unshare", "-rn", "sh", "-c", WithInterface];
        machine.IngressHttp = machine.DnsListen = "0.0.0.0:0";
        await machine.StartAsync();
        await ListensOnAsync(machine, "127.0.0.1");

        await AddressAsync(machine, "add", "10.7.7.7/32");
        await ListensOnAsync(machine, "10.7.7.7 127.0.0.1");
        await AddressAsync(machine, "add", "10.7.7.8/32");
        await ListensOnAsync(machine, "10.7.7.7 10.7.7.8 127.0.0.1");

        await AddressAsync(machine, "del", "10.7.7.7/32");
        await ListensOnAsync(machine, "10.7.7.8 127.0.0.1");
    }

    private static async Task ListensOnAsync(SiloUnderTest machine, string addresses)
    {
        var ingress = IPEndPoint.Parse(machine.Address("ingressHttp")).Port;
        await Eventually.Is("Ingress listens", () => Bound(machine.NodePid, "tcp", Listens, ingress), addresses, Soon);
        await Eventually.Is("DNS listens on TCP", () => Bound(machine.NodePid, "tcp", Listens, machine.Dns.Port), addresses, Soon);
        await Eventually.Is("DNS listens on UDP", () => Bound(machine.NodePid, "udp", IsBound, machine.Dns.Port), addresses, Soon);
    }

    /// <summary>The IPv4 addresses on which a port is bound in the network namespace of a process, in order.</summary>
    private static string Bound(int pid, string protocol, string state, int port)
    {
        var bound = from line in File.ReadLines($"/proc/{pid}/net/{protocol}").Skip(1)
                    let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    let local = fields[1].Split(':')
                    where fields[3] == state && int.Parse(local[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port
                    select new IPAddress(uint.Parse(local[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();
        return string.Join(' ', bound.Order(StringComparer.Ordinal));
    }

    private static async Task AddressAsync(SiloUnderTest machine, string change, string address) =>
        Assert.Equal(0, await RunAsync("nsenter", "-t", $"{machine.NodePid}", "-U", "-n", "--preserve-credentials", "ip", "addr", change, address, "dev", "mesh0"));

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        await using var process = ProcessUnderTest.Start(program, arguments);
        return await process.WaitForExitAsync(Stop);
    }
}

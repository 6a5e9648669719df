using System.Globalization;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>A Service's port that this user may not listen on: its user is told what to do, and the other ports are served.</summary>
public sealed class ServicePortNotPermittedTests
{
    private const int HighPort = 18_080;
    private const int NetBindService = 10; // capabilities(7)

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_port_that_is_not_permitted_is_an_Event_with_the_command_that_helps_and_the_other_ports_are_served()
    {
        var first = int.Parse(await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_unprivileged_port_start", Stop), CultureInfo.InvariantCulture);
        Assert.SkipWhen(first <= 80, "here every user may listen on every port");
        await using var machine = SiloUnderTest.Prepare();
        machine.Through = Environment.IsPrivilegedProcess ? ["setpriv", "--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"] : [];
        await machine.StartAsync();
        Assert.False(MayBindLowPorts(machine.NodePid));
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        object[] ports = [new { name = "low", port = 80, targetPort = "main" }, new { name = "high", port = HighPort, targetPort = "main" }];
        var address = await SomeService.CreateAsync(api, "low", "low", ports, Stop);
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "low-1", new { labels = new { app = "low" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);

        var told = await SomeService.ToldAsync(api, "low", "PortNotPermitted", Soon);
        Assert.Contains($"{address}:80 ", told, StringComparison.Ordinal);
        Assert.Contains("sudo setcap cap_net_bind_service=+ep /", told, StringComparison.Ordinal);
        Assert.Contains("sudo sysctl net.ipv4.ip_unprivileged_port_start=80", told, StringComparison.Ordinal);

        await SomeService.EchoesAsync("the other port answers", address, HighPort, Soon);
    }

    private static bool MayBindLowPorts(int pid)
    {
        var effective = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return (ulong.Parse(effective.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1ul << NetBindService)) != 0;
    }
}

using System.Globalization;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>A Service's port that not every user may listen on: who may not is told what to do, and the other ports are served.</summary>
public sealed class ServicePortNotPermittedTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_port_that_is_not_permitted_is_an_Event_with_the_command_that_helps_and_the_other_ports_are_served()
    {
        var first = int.Parse(await File.ReadAllTextAsync("/proc/sys/net/ipv4/ip_unprivileged_port_start", Stop), CultureInfo.InvariantCulture);
        Assert.SkipWhen(first <= 80, "here every user may listen on port 80 (net.ipv4.ip_unprivileged_port_start)");
        await using var machine = SiloUnderTest.Prepare();
        machine.Through = Capability.Has(Environment.ProcessId, Capability.NetBindService) ? ["setpriv", "--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"] : [];
        await machine.StartAsync();
        Assert.False(Capability.Has(machine.NodePid, Capability.NetBindService));
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        object[] ports = [new { name = "low", port = 80, targetPort = "main" }, new { name = "high", port = SomeService.Port, targetPort = "main" }];
        var address = await SomeService.CreateAsync(api, "low", "low", ports, Stop, "LoadBalancer");
        await using var pod = await RegisterAsync(machine, echo.Port);

        await SomeService.ToldAsync(api, "low", "PortNotPermitted", Soon, "127.0.0.1"); // where it is balanced; one Event, if both are found at once
        var told = await SomeService.ToldAsync(api, "low", "PortNotPermitted", Soon, address.ToString());
        Assert.Contains(":80 ", told, StringComparison.Ordinal);
        Assert.Contains("sudo setcap cap_net_bind_service=+ep /", told, StringComparison.Ordinal);
        Assert.Contains("sudo sysctl net.ipv4.ip_unprivileged_port_start=80", told, StringComparison.Ordinal);

        await SomeService.EchoesAsync("the other port answers", address, SomeService.Port, Soon);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_port_below_1024_is_served_by_whom_it_is_permitted()
    {
        Capability.Require("listening on port 80", Capability.NetBindService);
        await using var machine = await SiloUnderTest.StartNewAsync();
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        var address = await SomeService.CreateAsync(api, "low", "low", [new { port = 80, targetPort = "main" }], Stop);
        await using var pod = await RegisterAsync(machine, echo.Port);

        await SomeService.EchoesAsync("the low port answers", address, 80, Soon);
    }

    private static Task<RegisteredPod> RegisterAsync(SiloUnderTest machine, int port) => RegisteredPod.RegisterAsync(
        machine.NodeUrl, "default", "low-1", new { labels = new { app = "low" }, ports = new[] { new { name = "main", containerPort = port } } }, Stop);
}

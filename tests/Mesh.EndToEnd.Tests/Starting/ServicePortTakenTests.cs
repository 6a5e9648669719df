using System.Net;
using System.Net.Sockets;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>A Service's port that another process holds: its user is told by whom, and it is served as soon as it is free.</summary>
public sealed class ServicePortTakenTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_taken_Service_port_is_an_Event_that_names_the_holder_and_is_served_when_the_holder_goes()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        var address = await SomeService.CreateAsync(api, "taken", "taken", [new { port, targetPort = "main" }], Stop);
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "taken-1", new { labels = new { app = "taken" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);

        var told = await SomeService.ToldAsync(api, "taken", "PortTaken", Soon);
        Assert.Contains($"process {Environment.ProcessId} (", told, StringComparison.Ordinal);
        Assert.Contains($"{address}:{port}", told, StringComparison.Ordinal);

        holder.Stop();
        await SomeService.EchoesAsync("the Service answers", address, port, Soon);
    }
}

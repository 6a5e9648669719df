using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Testing;
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
        var address = await CreateServiceAsync(api);
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "low-1", new { labels = new { app = "low" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);

        var told = await Eventually.Meets("the Event", stop => EventAsync(api, stop), seen => seen.Length > 0, Soon);
        Assert.Contains($"{address}:80 ", told, StringComparison.Ordinal);
        Assert.Contains("sudo setcap cap_net_bind_service=+ep /", told, StringComparison.Ordinal);
        Assert.Contains("sudo sysctl net.ipv4.ip_unprivileged_port_start=80", told, StringComparison.Ordinal);

        await Eventually.Is(
            "the other port answers",
            async stop =>
            {
                using var client = new TcpClient();
                await client.ConnectAsync(address, HighPort, stop);
                await client.GetStream().WriteAsync("x"u8.ToArray(), stop);
                return await client.GetStream().ReadAsync(new byte[1], stop);
            },
            1,
            Soon);
    }

    private static bool MayBindLowPorts(int pid)
    {
        var effective = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return (ulong.Parse(effective.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1ul << NetBindService)) != 0;
    }

    private static async Task<IPAddress> CreateServiceAsync(HttpClient api)
    {
        var created = await api.PostAsJsonAsync(
            "/api/v1/namespaces/default/services",
            new
            {
                apiVersion = "v1",
                kind = "Service",
                metadata = new { name = "low" },
                spec = new
                {
                    selector = new { app = "low" },
                    ports = new[] { new { name = "low", port = 80, targetPort = "main" }, new { name = "high", port = HighPort, targetPort = "main" } },
                },
            },
            Stop);
        var body = await created.Content.ReadAsStringAsync(Stop);
        Assert.True(created.IsSuccessStatusCode, body);
        using var service = JsonDocument.Parse(body);
        return IPAddress.Parse(service.RootElement.GetProperty("spec").GetProperty("clusterIP").GetString()!);
    }

    private static async Task<string> EventAsync(HttpClient api, CancellationToken stop)
    {
        using var events = JsonDocument.Parse(await api.GetStringAsync("/api/v1/namespaces/default/events", stop));
        return events.RootElement.GetProperty("items").EnumerateArray()
            .Where(found => found.GetProperty("reason").GetString() == "PortNotPermitted" && found.GetProperty("involvedObject").GetProperty("name").GetString() == "low")
            .Select(found => found.GetProperty("message").GetString()!)
            .FirstOrDefault("");
    }
}

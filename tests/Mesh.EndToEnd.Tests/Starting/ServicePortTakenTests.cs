using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Testing;
using Mesh.Testing.Backends;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>A Service's port that another process holds: its user is told by whom, and it is served as soon as it is free.</summary>
public sealed class ServicePortTakenTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_taken_Service_port_is_an_Event_that_names_the_holder_and_is_served_when_the_holder_goes()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await using var echo = new TcpEcho();
        using var api = machine.Api();
        var created = await api.PostAsJsonAsync(
            "/api/v1/namespaces/default/services",
            new { apiVersion = "v1", kind = "Service", metadata = new { name = "taken" }, spec = new { selector = new { app = "taken" }, ports = new[] { new { port, targetPort = "main" } } } },
            Stop);
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync(Stop));
        using var service = JsonDocument.Parse(await created.Content.ReadAsStringAsync(Stop));
        var address = IPAddress.Parse(service.RootElement.GetProperty("spec").GetProperty("clusterIP").GetString()!);
        await using var pod = await RegisteredPod.RegisterAsync(
            machine.NodeUrl, "default", "taken-1", new { labels = new { app = "taken" }, ports = new[] { new { name = "main", containerPort = echo.Port } } }, Stop);

        var told = await Eventually.Meets("the Event", stop => EventAsync(api, "PortTaken", stop), seen => seen.Length > 0, Soon);
        Assert.Contains($"process {Environment.ProcessId} (", told, StringComparison.Ordinal);
        Assert.Contains($"{address}:{port}", told, StringComparison.Ordinal);

        holder.Stop();
        await Eventually.Is(
            "the Service answers",
            async stop =>
            {
                using var client = new TcpClient();
                await client.ConnectAsync(address, port, stop);
                await client.GetStream().WriteAsync("x"u8.ToArray(), stop);
                return await client.GetStream().ReadAsync(new byte[1], stop);
            },
            1,
            Soon);
    }

    /// <summary>The message of the Service's Event, empty while there is none.</summary>
    private static async Task<string> EventAsync(HttpClient api, string reason, CancellationToken stop)
    {
        using var events = JsonDocument.Parse(await api.GetStringAsync("/api/v1/namespaces/default/events", stop));
        return events.RootElement.GetProperty("items").EnumerateArray()
            .Where(found => found.GetProperty("reason").GetString() == reason && found.GetProperty("involvedObject").GetProperty("name").GetString() == "taken")
            .Select(found => found.GetProperty("message").GetString()!)
            .FirstOrDefault("");
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Mesh.Testing;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>Services of namespace default, as the tests make and look at them.</summary>
internal static class SomeService
{
    /// <summary>A port on which every user may listen; those below 1024 need a privilege.</summary>
    public const int Port = 18_080;

    /// <summary>A Service that selects <c>app</c>; its ClusterIP.</summary>
    public static async Task<IPAddress> CreateAsync(HttpClient api, string name, string app, object[] ports, CancellationToken stop, string type = "ClusterIP")
    {
        var created = await api.PostAsJsonAsync(
            "/api/v1/namespaces/default/services",
            new { apiVersion = "v1", kind = "Service", metadata = new { name }, spec = new { type, selector = new { app }, ports } },
            stop);
        var body = await created.Content.ReadAsStringAsync(stop);
        Assert.True(created.IsSuccessStatusCode, body);
        using var service = JsonDocument.Parse(body);
        return IPAddress.Parse(service.RootElement.GetProperty("spec").GetProperty("clusterIP").GetString()!);
    }

    /// <summary>Until a byte sent there comes back.</summary>
    public static Task EchoesAsync(string what, IPAddress address, int port, TimeSpan within) => Eventually.Is(
        what,
        async stop =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address, port, stop);
            await client.GetStream().WriteAsync("x"u8.ToArray(), stop);
            return await client.GetStream().ReadAsync(new byte[1], stop);
        },
        1,
        within);

    /// <summary>The message of a Service's Event for this reason and about this address, as soon as there is one.</summary>
    public static Task<string> ToldAsync(HttpClient api, string name, string reason, TimeSpan within, string about = "") => Eventually.Meets(
        $"the Event {reason}",
        async stop =>
        {
            using var events = JsonDocument.Parse(await api.GetStringAsync("/api/v1/namespaces/default/events", stop));
            return events.RootElement.GetProperty("items").EnumerateArray()
                .Where(found => found.GetProperty("reason").GetString() == reason && found.GetProperty("involvedObject").GetProperty("name").GetString() == name)
                .Select(found => found.GetProperty("message").GetString()!)
                .FirstOrDefault(message => message.Contains(about, StringComparison.Ordinal), "");
        },
        seen => seen.Length > 0,
        within);
}

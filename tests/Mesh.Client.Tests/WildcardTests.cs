using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Testing.Backends;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A server on every address and a ClusterIP exclude each other at one port: the application says so, and goes on.</summary>
public sealed class WildcardTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("http://*:{0}", true)]
    [InlineData("http://0.0.0.0:{0}", true)]
    [InlineData("http://[::]:{0}", true)]
    [InlineData("http://127.0.0.1:{0}", false)]
    public async Task A_wildcard_that_takes_a_Services_port_is_one_line_with_the_Service_and_the_remedy(string urls, bool isTold)
    {
        var port = FreePort.Next();
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Routes = WithService("web", port);
        var (builder, lines) = Logged(HostUnderTest.Web(node, urls: urls.Replace("{0}", $"{port}", StringComparison.Ordinal)));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        // It is asked beside everything else; the host's end waits for it.
        string[] expected = isTold ? [$"Warning: Service default/web (127.96.0.9:{port}) cannot be served while this process listens on every address at port {port}; MESH_ADDRESS=allocate gives it an address of its own"] : [];
        if (isTold)
        {
            await Testing.Eventually.Is("lines of MESH_ADDRESS", () => Told(lines).Length, 1, TimeSpan.FromSeconds(20));
        }

        await app.StopAsync(Stop);
        Assert.Equal(expected, Told(lines));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "taken ports")]
    public async Task A_line_that_the_applications_log_does_not_take_is_written_again_and_its_host_ends_as_ever()
    {
        var port = FreePort.Next();
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Routes = WithService("web", port);
        using var lines = new LogLines { FailsOnceAt = "cannot be served while" };
        var builder = HostUnderTest.Web(node, urls: $"http://*:{port}");
        builder.Logging.AddProvider(lines);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);

        await Testing.Eventually.Is("lines of MESH_ADDRESS", () => Told(lines.Written).Length, 1, TimeSpan.FromSeconds(20));

        await app.StopAsync(Stop);
        Assert.Contains(lines.Written, static line => line.StartsWith("Error: The loop 'taken ports' of Mesh ended unexpectedly", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_port_that_a_ClusterIP_holds_is_one_line_before_the_hosts_own_error()
    {
        using var held = new TcpListener(IPAddress.Parse("127.96.0.9"), 0);
        held.Start();
        var port = ((IPEndPoint)held.LocalEndpoint).Port;
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Routes = WithService("web", port);
        var (builder, lines) = Logged(HostUnderTest.Web(node, urls: $"http://0.0.0.0:{port}"));

        await Assert.ThrowsAsync<IOException>(() => HostUnderTest.StartAsync(builder, Stop));

        Assert.Equal([$"Error: Port {port} of every address cannot be had beside Service default/web (127.96.0.9:{port}); MESH_ADDRESS=allocate gives this process an address of its own"], Told(lines));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_that_is_away_or_says_nothing_changes_nothing_of_a_start_that_fails_or_succeeds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var held = new TcpListener(IPAddress.Any, 0);
        held.Start();
        await using var away = NodeUnderTest.Away();
        foreach (var url in (string[])[away.Url, $"http://{silent.LocalEndpoint}"])
        {
            var (fails, lines) = Logged(HostUnderTest.Web(away, options => options.NodeUrl = url, $"http://*:{((IPEndPoint)held.LocalEndpoint).Port}"));
            await Assert.ThrowsAsync<IOException>(() => HostUnderTest.StartAsync(fails, Stop));
            await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(away, options => options.NodeUrl = url, $"http://*:{FreePort.Next()}"), Stop);
            await app.StopAsync(Stop);
            Assert.Empty(Told(lines));
        }
    }

    private static RoutingSnapshot WithService(string name, int port)
    {
        var service = ServiceParser.Parse(
            Encoding.UTF8.GetBytes($$$"""
                {"metadata":{"name":"{{{name}}}","namespace":"default","uid":"u"},"spec":{"clusterIP":"127.96.0.9","clusterIPs":["127.96.0.9"],
                 "ports":[{"port":{{{port}}},"targetPort":80}]}}
                """),
            1);
        return new RoutingSnapshot { Services = RoutingSnapshot.Empty.Services.Add(service.Name, new ServiceRoute { Service = service, Endpoints = [], Ports = [] }) };
    }

    private static string[] Told(IEnumerable<string> lines) => [.. lines.Where(line => line.Contains("MESH_ADDRESS", StringComparison.Ordinal))];

    private static (Microsoft.AspNetCore.Builder.WebApplicationBuilder Builder, IReadOnlyCollection<string> Lines) Logged(Microsoft.AspNetCore.Builder.WebApplicationBuilder builder)
    {
        var lines = new LogLines();
        builder.Logging.AddProvider(lines);
        return (builder, lines.Written);
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>Whatever kind of builder an application has, joining is one call in its chain.</summary>
public sealed class BuilderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.Worker")]
    public async Task A_worker_joins_in_a_chain_that_keeps_its_builder_and_the_web_servers_part_changes_nothing_of_it()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = Host.CreateApplicationBuilder()
            .AddMesh(mesh => (mesh.NodeUrl, mesh.DrainDelay, mesh.Address, mesh.AllocateTimeout) = (node.Url, TimeSpan.Zero, "allocate", TimeSpan.FromSeconds(20)))
            .AddMesh(mesh => mesh.Ports["metrics"] = 9464)
            .AddMeshTelemetry();
        builder.Services.AddMeshServer();
        using var host = builder.Build();
        await host.StartAsync(Stop);
        await host.Mesh().IsAsync(MeshPodState.Ready, Stop);

        Assert.StartsWith("127.87.", host.Mesh().Identity!.Address.ToString(), StringComparison.Ordinal);
        Assert.Equal([new("metrics", 9464)], (await node.SinglePodAsync(Stop)).Ports());
        await host.StopAsync(Stop);
        Assert.Empty(await node.PodsAsync(Stop));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("chain")]
    [InlineData("defaults")]
    [InlineData("defaults, server first")]
    [Trait("Row", "ECO-3.1.AddMesh")]
    public async Task A_web_application_joins_with_the_ports_of_its_server_whoever_has_its_builder_in_his_hands(string by)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        void Configure(MeshOptions mesh) => (mesh.NodeUrl, mesh.DrainDelay, mesh.Address, mesh.AllocateTimeout) = (node.Url, TimeSpan.Zero, "allocate", TimeSpan.FromSeconds(20));
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder = by == "chain" ? builder.AddMesh(Configure).AddMeshTelemetry() : builder.AddServiceDefaults(Configure, serverFirst: by != "defaults");
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        // Bound there: the server's part was told, and works.
        var (address, port) = (app.Mesh().Identity!.Address, (await node.SinglePodAsync(Stop)).Ports()["http"]);
        Assert.StartsWith("127.87.", address.ToString(), StringComparison.Ordinal);
        Assert.Equal(port, new Uri(app.Urls.Single()).Port);
        using var client = new HttpClient();
        Assert.Equal("soup", await client.GetStringAsync($"http://{address}:{port}/", Stop));
    }
}

/// <summary>As shared projects of an organisation have it: one method for builders of every kind.</summary>
file static class ServiceDefaults
{
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder, Action<MeshOptions> configure, bool serverFirst)
        where TBuilder : IHostApplicationBuilder
    {
        if (serverFirst)
        {
            builder.Services.AddMeshServer();
        }

        builder.AddMesh(configure).AddMeshTelemetry();
        builder.Services.AddMeshServer();
        return builder;
    }
}

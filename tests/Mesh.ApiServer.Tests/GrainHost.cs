using System.Net;
using System.Text;
using Mesh.Grains;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Testing.Backends;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The API with the real grains behind it, as one silo on one machine.</summary>
public sealed class GrainHost : ApiHost
{
    public const string Node = "machine-1";

    /// <summary>Many, so that tests may watch one thing after the other without a wait for the last connection's end.</summary>
    public override int MaxWatches => new ApiOptions().MaxWatches;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    private static readonly NodeSession Session = new($"silo/{Node}/1", 1, 1, "127.0.0.1", "v0.1.0");

    private readonly CancellationTokenSource _end = new();
    private Task _pulse = Task.CompletedTask;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        var facts = new NodeFacts("boot-1", "Linux", "6.1", "amd64", 2, 1 << 30);
        await Grains.GetGrain<INodeGrain>(Node).Open(Session, facts, TestContext.Current.CancellationToken);
        _pulse = PulseAsync();
    }

    /// <summary>A Pod as an application registers it at the node.</summary>
    public async Task RegisterAsync(string ns, string name)
    {
        var document = Encoding.UTF8.GetBytes("""{"metadata":{"labels":{"app":"app"}},"spec":{"containers":[{"name":"app-1","ports":[{"containerPort":8081}]}]},"status":{"podIP":"127.0.0.1"}}""");
        var reply = await Grains.GetGrain<IPodGrain>($"{ns}/{name}").Report(
            new PodReport(ns, name, $"uid-of-{name}", Node, document, 1, (1UL << 32) | 1, true, false, false, "", "", true), TestContext.Current.CancellationToken);
        Assert.Equal(PodReportResult.Accepted, reply.Result);
    }

    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _pulse.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>What the node would say of a manifest Pod.</summary>
    public Task<PodReportReply> ReportAsync(string ns, string name, string uid, bool isReady, uint count = 1) => Grains.GetGrain<IPodGrain>($"{ns}/{name}").Report(
        new PodReport(ns, name, uid, Node, default, 0, (1UL << 32) | count, isReady, false, false, "", "", false), TestContext.Current.CancellationToken);

    /// <summary>The node's word that a Pod's probe fails; <paramref name="count"/> orders it behind what was said before.</summary>
    public Task<PodReportReply> ReportUnhealthyAsync(string ns, string name, string uid, uint count, string message) => Grains.GetGrain<IPodGrain>($"{ns}/{name}").Report(
        new PodReport(ns, name, uid, Node, default, 0, (1UL << 32) | count, false, false, false, "Unhealthy", message, false), TestContext.Current.CancellationToken);

    /// <summary>The node links again and says that it runs another kernel.</summary>
    public Task<NodeOpened> RelinkAsync(string kernel) =>
        Grains.GetGrain<INodeGrain>(Node).Open(Session, new NodeFacts("boot-1", "Linux", kernel, "amd64", 2, 1 << 30), TestContext.Current.CancellationToken);

    protected override void ConfigureWriters(WebApplicationBuilder builder) => builder.UseOrleans(silo =>
    {
        silo.UseLocalhostClustering(FreePort.Next(), gatewayPort: 0); // Orleans refuses port 0
        silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
        silo.AddMeshGrains(new GrainOptions { NodeName = Node });
    });

    // As the gateway grain of a living link does.
    private async Task PulseAsync()
    {
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(3), TimeProvider.System);
        while (await tick.WaitForNextTickAsync(_end.Token))
        {
            await Grains.GetGrain<INodeGrain>(Node).Alive(Session, _end.Token);
        }
    }
}

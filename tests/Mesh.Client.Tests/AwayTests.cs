using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A node that is away, goes away, or is none: the application never notices, and the Pod comes back by itself.</summary>
public sealed class AwayTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.MapMeshHealth")]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_node_that_is_away_at_the_start_delays_nothing_and_gets_its_Pod_when_it_comes()
    {
        await using var node = NodeUnderTest.Away();
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node), Stop);
        using var client = new HttpClient();

        Assert.Equal("soup", await client.GetStringAsync(app.Urls.Single(), Stop));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(app.Urls.Single() + "/healthz/ready", Stop)).StatusCode);
        Assert.Equal(MeshPodState.Unregistered, app.Mesh().State);
        var report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);
        Assert.Equal(HealthStatus.Degraded, report.Entries["mesh"].Status);

        await node.StartAsync(Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        Assert.True((await node.SinglePodAsync(Stop)).IsReady());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_that_comes_back_finds_the_same_Pod_with_what_was_wished_meanwhile()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node), Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        var uid = app.Mesh().Identity!.Uid;

        await node.StopAsync();
        await app.Mesh().IsAsync(MeshPodState.Detached, Stop);
        await app.Mesh().SetReadyAsync(false, "maintenance", Stop);
        await app.Mesh().PatchMetadataAsync(patch => patch.Labels["tier"] = "blue", Stop);
        await node.StartAsync(Stop);

        await app.Mesh().IsAsync(MeshPodState.NotReady, Stop);
        var pod = await node.SinglePodAsync(Stop);
        Assert.Equal((uid, "blue", "maintenance", false), (pod.Uid(), pod.Label("tier"), pod.Annotation("mesh.internal/readiness"), pod.IsReady()));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_that_is_away_at_the_end_takes_no_time_from_those_who_still_route_here_and_is_not_waited_for()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var (time, drainDelay) = (new ArmedTime(), TimeSpan.FromSeconds(77));
        var builder = HostUnderTest.Web(node, options => options.DrainDelay = drainDelay).With(time);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        await node.StopAsync();
        await app.Mesh().IsAsync(MeshPodState.Detached, Stop);

        using var client = new HttpClient();
        Assert.NotEqual(true, (await client.GetAsync(app.Urls.Single(), Stop)).Headers.ConnectionClose);

        app.Lifetime.StopApplication(); // as on SIGTERM
        var stopping = app.StopAsync(Stop);
        await time.ArmedAsync(drainDelay, Stop);
        Assert.True((await client.GetAsync(app.Urls.Single(), Stop)).Headers.ConnectionClose);
        time.Advance(drainDelay);
        await stopping;

        Assert.Equal(MeshPodState.Terminated, app.Mesh().State);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_node_that_never_was_there_delays_no_end()
    {
        await using var node = NodeUnderTest.Away();
        // With a drain delay that nobody would wait for.
        var builder = HostUnderTest.Web(node, options => options.DrainDelay = TimeSpan.FromHours(1));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);

        await app.StopAsync(Stop);

        Assert.Equal(MeshPodState.Terminated, app.Mesh().State);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("[]\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":7}\n")]
    [InlineData("{\"type\":\"ERROR\"}\n")]
    [InlineData("<html>not a node</html>\n")]
    [InlineData("null\n")]
    [InlineData("{\"type\":\"\\ud800\"}\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"\\udfff\"}}}\n")]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task What_is_no_node_hurts_nobody(string answer)
    {
        var asked = new TaskCompletionSource();
        var count = 0;
        var stranger = WebApplication.CreateSlimBuilder();
        stranger.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = stranger.Build();
        server.Run(async context =>
        {
            await context.Response.WriteAsync(answer);
            if (Interlocked.Increment(ref count) == 3)
            {
                asked.SetResult();
            }
        });
        await server.StartAsync(Stop);

        await using var registration = PodRegistration.Create(new MeshOptions { NodeUrl = server.Urls.Single(), PodName = "p" }, TimeProvider.System, new Random(1), NullLogger.Instance);
        registration.Begin("host", []);
        await asked.Task.WaitAsync(Stop);

        Assert.Equal(MeshPodState.Unregistered, registration.State);
        Assert.Null(registration.Identity);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public async Task A_generated_name_that_is_taken_is_another_one_and_a_chosen_one_waits()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var generated = new MeshOptions { NodeUrl = node.Url };
        await using var first = PodRegistration.Create(generated, TimeProvider.System, new Random(7), NullLogger.Instance);
        await using var second = PodRegistration.Create(generated, TimeProvider.System, new Random(7), NullLogger.Instance);
        first.Begin("host", []);
        await first.Registered.WaitAsync(Stop);
        second.Begin("host", []);
        Assert.NotEqual((await first.Registered).Name, (await second.Registered.WaitAsync(Stop)).Name);

        var chosen = new MeshOptions { NodeUrl = $"unix:{node.Socket}", PodName = "web" };
        var holder = await MeshClient.RegisterAsync(mesh => (mesh.NodeUrl, mesh.PodName) = (chosen.NodeUrl, chosen.PodName), stop: Stop);
        await using var waiter = PodRegistration.Create(chosen, TimeProvider.System, new Random(7), NullLogger.Instance);
        waiter.Begin("host", []);
        await holder.DisposeAsync();
        Assert.Equal("web", (await waiter.Registered.WaitAsync(Stop)).Name);
        Assert.NotEqual(holder.Identity!.Uid, waiter.Identity!.Uid);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.IMeshRegistration")]
    public async Task The_application_s_own_word_and_gates_outlast_a_passing_health_check()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node).With(time), Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        await app.Mesh().SetReadyAsync(false, stop: Stop);

        await time.AdvanceAsync(TimeSpan.FromMilliseconds(200), Stop);
        await time.ArmedAsync(TimeSpan.FromMilliseconds(500), Stop);
        Assert.False((await node.SinglePodAsync(Stop)).IsReady());

        var gate = app.Mesh().AddReadinessGate("WarmedUp");
        await app.Mesh().SetReadyAsync(true, stop: Stop);
        var held = await node.SinglePodAsync(Stop);
        Assert.Equal((false, "WarmedUp"), (held.IsReady(), held.Annotation("mesh.internal/readiness")));
        gate.Dispose();
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        await Assert.ThrowsAsync<ArgumentException>(async () => await app.Mesh().PatchMetadataAsync(patch => patch.Labels["no key!"] = "x", Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task Switched_off_it_does_nothing_and_checks_nothing()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = HostUnderTest.Web(node, options => (options.Enabled, options.Namespace) = (false, "No Label"));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        var mesh = app.Mesh();
        await mesh.SetReadyAsync(true, stop: Stop);
        await mesh.PatchMetadataAsync(patch => patch.Labels["a"] = "b", Stop);
        mesh.AddReadinessGate("x").Dispose();

        Assert.Equal(MeshPodState.Unregistered, mesh.State);
        Assert.Empty(await node.PodsAsync(Stop));
        var report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop);
        Assert.Equal(HealthStatus.Healthy, report.Entries["mesh"].Status);
        await app.StopAsync(Stop);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.Worker")]
    public async Task A_worker_without_a_server_is_a_Pod_with_the_ports_it_names()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.AddMesh(options =>
        {
            options.NodeUrl = node.Url;
            options.Ports["metrics"] = 9464;
            options.DrainDelay = TimeSpan.Zero;
        });
        using var host = builder.Build();
        await host.StartAsync(Stop);
        await host.Mesh().IsAsync(MeshPodState.Ready, Stop);

        Assert.Equal(9464, Assert.Single((await node.SinglePodAsync(Stop)).Ports(), port => port.Key == "metrics").Value);
        await host.StopAsync(Stop);
        Assert.Empty(await node.PodsAsync(Stop));
    }
}

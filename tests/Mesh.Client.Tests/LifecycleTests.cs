using System.Net;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A Pod follows its host's life, phase by phase.</summary>
public sealed class LifecycleTests
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan[] FirstChecks = [TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.build")]
    public async Task Options_that_cannot_be_are_told_before_anything_starts()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var app = HostUnderTest.Web(node, options =>
        {
            options.Namespace = "No Label";
            options.Labels["app"] = "white space";
            options.Ports["a-name-that-is-too-long"] = 70_000;
            options.DrainDelay = TimeSpan.FromSeconds(-1);
            options.Address = "elsewhere";
        }).Build();

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync(Stop));

        Assert.Equal(6, refused.Failures.Count());
        Assert.Empty(await node.PodsAsync(Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.starting")]
    [Trait("Row", "ECO-3.2.started")]
    public async Task A_Pod_is_registered_not_ready_with_the_port_that_the_server_bound()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var checking = new TaskCompletionSource<HealthStatus>();
        var podsBefore = -1;
        var builder = HostUnderTest.Web(node, options => options.Labels["app"] = "soup").With("slow", stop => checking.Task.WaitAsync(stop));
        builder.Services.AddHostedService(_ => new Before(async stop => podsBefore = (await node.PodsAsync(stop)).Count));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.NotReady, Stop);

        Assert.Equal(0, podsBefore);
        var pod = await node.SinglePodAsync(Stop);
        Assert.Equal(new Uri(app.Urls.Single()).Port, Assert.Single(pod.Ports(), port => port.Key == "http").Value);
        Assert.False(pod.IsReady());
        Assert.Equal("soup", pod.Label("app"));
        Assert.Equal((pod.Uid(), "127.0.0.1", "n1"), (app.Mesh().Identity!.Uid, app.Mesh().Identity!.Address.ToString(), app.Mesh().Identity!.Node));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.ready")]
    public async Task A_Pod_is_ready_from_its_first_passing_health_check_and_no_sooner()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var health = HealthStatus.Unhealthy;
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node).With(time).With("db", _ => Task.FromResult(health)), Stop);
        await app.Mesh().IsAsync(MeshPodState.NotReady, Stop);
        await time.ArmedAsync(FirstChecks[0], Stop);
        Assert.False((await node.SinglePodAsync(Stop)).IsReady());

        health = HealthStatus.Healthy;
        time.Advance(FirstChecks[0]);

        await node.RoutedAsync(pod => pod.IsReady, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.stopping")]
    public async Task While_it_leaves_each_answer_closes_its_connection()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var began = new TaskCompletionSource();
        var slow = new TaskCompletionSource();
        await using var app = await HostUnderTest.StartAsync(
            HostUnderTest.Web(node, options => options.DrainDelay = TimeSpan.FromSeconds(77)).With(time),
            Stop,
            async context =>
            {
                if (context.Request.Query.ContainsKey("slow"))
                {
                    began.SetResult();
                    await slow.Task;
                }

                await context.Response.WriteAsync("soup");
            });
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.NotEqual(true, (await client.GetAsync("/", Stop)).Headers.ConnectionClose);
        var inFlight = client.GetAsync("/?slow", Stop);
        await began.Task.WaitAsync(Stop);

        var stopping = app.StopAsync(Stop);
        await time.ArmedAsync(TimeSpan.FromSeconds(77), Stop);
        slow.SetResult();

        Assert.True((await inFlight).Headers.ConnectionClose);
        Assert.True((await client.GetAsync("/", Stop)).Headers.ConnectionClose);
        time.Advance(TimeSpan.FromSeconds(77));
        await stopping;
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.unhealthy")]
    public async Task Two_failing_checks_in_a_row_make_it_not_ready_and_one_or_a_degraded_one_do_not()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var health = HealthStatus.Healthy;
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node).With(time).With("db", _ => Task.FromResult(health)), Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        foreach (var first in FirstChecks)
        {
            await time.AdvanceAsync(first, Stop);
        }

        health = HealthStatus.Degraded;
        await time.AdvanceAsync(CheckEvery, Stop);
        await time.ArmedAsync(CheckEvery, Stop);
        var degraded = await node.SinglePodAsync(Stop);
        Assert.Equal((true, "Degraded: db"), (degraded.IsReady(), degraded.Annotation("mesh.internal/readiness")));

        health = HealthStatus.Unhealthy;
        time.Advance(CheckEvery);
        await time.ArmedAsync(CheckEvery, Stop);
        Assert.Equal(MeshPodState.Ready, app.Mesh().State);

        time.Advance(CheckEvery);
        await app.Mesh().IsAsync(MeshPodState.NotReady, Stop);
        var unhealthy = await node.SinglePodAsync(Stop);
        Assert.Equal((false, "Unhealthy: db"), (unhealthy.IsReady(), unhealthy.Annotation("mesh.internal/readiness")));

        health = HealthStatus.Healthy;
        await time.AdvanceAsync(CheckEvery, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-3.2.unhealthy")]
    public async Task A_check_that_cannot_be_made_for_want_of_time_is_a_failed_one_and_is_made_again()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var canBeMade = false;
        var builder = HostUnderTest.Web(node).With(time);
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            "db", _ => canBeMade ? new Passing() : throw new TaskCanceledException("a connection that timed out"), failureStatus: null, ["ready"]));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await time.AdvanceAsync(FirstChecks[0], Stop);
        await time.ArmedAsync(FirstChecks[1], Stop);
        await app.Mesh().IsAsync(MeshPodState.NotReady, Stop);
        await Testing.Eventually.Is("what is shown", async stop => (await node.SinglePodAsync(stop)).Annotation("mesh.internal/readiness"), "Unhealthy: TaskCanceledException", TimeSpan.FromSeconds(20));

        canBeMade = true;
        time.Advance(FirstChecks[1]);

        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "ECO-3.2.draining")]
    [Trait("Row", "ECO-3.2.closing")]
    [Trait("Row", "ECO-3.2.gone")]
    public async Task Stopping_leaves_the_routes_then_closes_the_listener_then_finishes_requests_and_only_then_ends_the_Pod(bool bySignal)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var (arrived, finish) = (new TaskCompletionSource(), new TaskCompletionSource());
        var drainDelay = TimeSpan.FromSeconds(7);
        var builder = HostUnderTest.Web(node, options => options.DrainDelay = drainDelay).With(time);
        await using var app = await HostUnderTest.StartAsync(builder, Stop, async context =>
        {
            if (context.Request.Query.ContainsKey("slow"))
            {
                arrived.SetResult();
                await finish.Task;
            }

            await context.Response.WriteAsync("soup");
        });
        await node.RoutedAsync(pod => pod.IsReady, Stop);
        var url = app.Urls.Single();
        using var first = new HttpClient();
        var slow = first.GetStringAsync(url + "/?slow", Stop);
        await arrived.Task;
        if (bySignal)
        {
            app.Lifetime.StopApplication();
        }

        var stopping = app.StopAsync(Stop);

        // Out of the routes, and still answering whoever does not know yet.
        await node.RoutedAsync(pod => !pod.IsReady, Stop);
        await time.ArmedAsync(drainDelay, Stop);
        Assert.Equal(MeshPodState.Draining, app.Mesh().State);
        using (var late = new HttpClient())
        {
            Assert.Equal("soup", await late.GetStringAsync(url, Stop));
        }

        // The listener is closed, and the Pod lives until its last request is answered.
        time.Advance(drainDelay);
        await Testing.Eventually.Is("a new connection", _ => AcceptsAsync(url), false, TimeSpan.FromSeconds(10));
        Assert.False(slow.IsCompleted);
        Assert.False((await node.SinglePodAsync(Stop)).IsReady());

        finish.SetResult();
        Assert.Equal("soup", await slow);
        await stopping;
        Assert.Equal("Deleted", await node.EndReasonAsync(Stop));
        Assert.Equal(MeshPodState.Terminated, app.Mesh().State);
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_makes_a_draining_Pod_ready_again()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var time = new ArmedTime();
        var drainDelay = TimeSpan.FromSeconds(7);
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node, options => options.DrainDelay = drainDelay).With(time), Stop);
        await node.RoutedAsync(pod => pod.IsReady, Stop);

        app.Lifetime.StopApplication();
        await time.ArmedAsync(drainDelay, Stop);
        await app.Mesh().SetReadyAsync(true, stop: Stop);

        Assert.False((await node.SinglePodAsync(Stop)).IsReady());
        Assert.Equal(MeshPodState.Draining, app.Mesh().State);
        time.Advance(drainDelay);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Loop", "stop of the host")]
    public async Task A_host_that_stops_with_its_Pod_and_cannot_say_so_is_stopped_all_the_same()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        using var lines = new LogLines { FailsOnceAt = "An error occurred stopping the application" };
        var builder = HostUnderTest.Web(node, options => options.WhenDeleted = MeshDeletion.Stop);
        builder.Logging.AddProvider(lines);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await node.RoutedAsync(pod => pod.IsReady, Stop);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Lifetime.ApplicationStopping.Register(() =>
        {
            told.SetResult();
            throw PlantedTime.Planted();
        });

        await node.DeletePodAsync(app.Mesh().Identity!.Name, Stop);

        await told.Task.WaitAsync(Stop);
        await Eventually.Is(
            "the loop's end", () => lines.Written.Any(static line => line.StartsWith("Error: The loop 'stop of the host' of Mesh ended unexpectedly", StringComparison.Ordinal)), true, TimeSpan.FromSeconds(20));
        await app.StopAsync(Stop);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_hosts_own_time_to_stop_bounds_the_drain()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = HostUnderTest.Web(node, options => options.DrainDelay = TimeSpan.FromHours(1));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(300));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await node.RoutedAsync(pod => pod.IsReady, Stop);

        await app.StopAsync(Stop);

        Assert.Equal("Deleted", await node.EndReasonAsync(Stop));
    }

    private static async Task<bool> AcceptsAsync(string url)
    {
        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, new Uri(url).Port, Stop);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private sealed class Passing : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(HealthCheckResult.Healthy());
    }

    /// <summary>Runs while the host starts, before the server has bound.</summary>
    private sealed class Before(Func<CancellationToken, Task> run) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => run(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

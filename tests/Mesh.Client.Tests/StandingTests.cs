using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>What an application is told of its Pod while there is none: before the first, between two, and after the last.</summary>
public sealed class StandingTests
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.IMeshRegistration")]
    public async Task Whoever_waits_for_a_Pod_while_Mesh_is_switched_off_is_told_at_once_what_to_do()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.AddMesh(options => options.Enabled = false);
        using var host = builder.Build();
        var mesh = host.Mesh();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => mesh.Registered);

        Assert.Equal("Mesh is switched off (Mesh:Enabled, MESH_ENABLED), so this process becomes no Pod: switch it on, or ask IMeshRegistration.IsEnabled before Registered.", refused.Message);
        Assert.Equal((false, null, MeshPodState.Unregistered), (mesh.IsEnabled, mesh.Identity, mesh.State));
        Assert.Empty(mesh.Ports);
    }

    [Fact]
    [Trait("Row", "ECO-3.1.IMeshRegistration")]
    public void A_test_takes_a_registration_that_is_switched_off_from_its_services_alone()
    {
        var services = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(new ConfigurationManager());
        services.AddMesh(options => options.Enabled = false);
        IMeshRegistration mesh;
        using (var provider = services.BuildServiceProvider())
        {
            mesh = provider.GetRequiredService<IMeshRegistration>();
            Assert.False(mesh.IsEnabled);
        }

        Assert.Null(mesh.Identity);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.IMeshRegistration")]
    public async Task Until_a_deleted_Pod_is_registered_again_the_application_knows_the_one_that_it_was()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var (time, port) = (new ArmedTime(), ((IPEndPoint)server.LocalEndpoint).Port);
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Url, PodName = "web-1" }, time, new Random(1), NullLogger.Instance);
        pod.Begin("host", [new("http", port)]);
        await pod.IsAsync(MeshPodState.Ready, Stop);
        var first = pod.Identity!;
        Assert.Equal(("default", "web-1", "n1", "127.0.0.1"), (first.Namespace, first.Name, first.Node, first.Address.ToString()));

        await node.DeletePodAsync("web-1", Stop);
        await pod.IsAsync(MeshPodState.Unregistered, Stop); // and so it stays, as no time passes

        Assert.Empty(await node.PodsAsync(Stop));
        Assert.Equal((first, port), (pod.Identity, pod.Ports["http"]));

        // kubectl waits for the end of what has the name, and must find nothing.
        Assert.InRange(await time.RetryAsync(AnswerTimeout, Stop), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        await pod.IsAsync(MeshPodState.Ready, Stop);
        Assert.Equal((true, "web-1", (await node.SinglePodAsync(Stop)).Uid()), (pod.IsEnabled, pod.Identity!.Name, pod.Identity.Uid));
        Assert.NotEqual(first.Uid, pod.Identity.Uid);
        Assert.Equal(first, await pod.Registered);
        Assert.False(pod.StopRequested.IsCompleted);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public async Task The_owner_of_a_Pod_without_a_host_is_asked_to_stop_when_it_is_deleted()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var pod = await MeshClient.RegisterAsync(mesh => (mesh.NodeUrl, mesh.WhenDeleted) = (node.Url, MeshDeletion.Stop), stop: Stop);
        Assert.False(pod.StopRequested.IsCompleted);

        await node.DeletePodAsync(pod.Identity!.Name, Stop);
        await pod.StopRequested.WaitAsync(Stop);

        Assert.Equal(MeshPodState.Terminated, pod.State);
        Assert.NotNull(pod.Identity);
        await pod.DisposeAsync();
        Assert.True(pod.StopRequested.IsCompletedSuccessfully);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public async Task Whoever_waits_for_a_deletion_is_released_when_the_owner_ends_the_Pod_himself(bool isEnabled)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var pod = await MeshClient.RegisterAsync(mesh => (mesh.NodeUrl, mesh.WhenDeleted, mesh.Enabled) = (node.Url, MeshDeletion.Stop, isEnabled), stop: Stop);
        Assert.Equal((isEnabled, false), (pod.IsEnabled, pod.StopRequested.IsCompleted));

        await pod.DisposeAsync();

        Assert.True(pod.StopRequested.IsCanceled);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.IMeshRegistration")]
    public async Task Whoever_waits_for_the_first_answer_is_released_when_the_host_ends_before_it()
    {
        await using var node = NodeUnderTest.Away();
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node), Stop);
        var registered = app.Mesh().Registered;
        Assert.False(registered.IsCompleted);

        await app.StopAsync(Stop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registered);
        Assert.Null(app.Mesh().Identity);
    }
}

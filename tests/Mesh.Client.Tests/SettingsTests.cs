using Mesh.Client.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>Where an option comes from, what wins, and what becomes of one that cannot be read.</summary>
public sealed class SettingsTests
{
    private static readonly Dictionary<string, string> Variables = new()
    {
        ["MESH_NODE_URL"] = "http://127.0.0.1:1",
        ["MESH_NAMESPACE"] = "env",
        ["MESH_POD_NAME"] = "env-1",
        ["MESH_ADDRESS"] = "",
        ["MESH_LABELS"] = "app=web,tier=,app.kubernetes.io/name=shop",
        ["MESH_PORTS"] = "http=5000, grpc=5001",
        ["MESH_WHEN_DELETED"] = "STOP",
        ["MESH_ENABLED"] = "true",
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Row", "ECO-3.4")]
    public void Files_then_the_environment_then_the_command_line_then_code()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = ["--Mesh:PodName=args-1"] });
        builder.Configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource
        {
            InitialData = [new("Mesh:Namespace", "file"), new("Mesh:PodName", "file-1"), new("Mesh:Labels:app", "file"), new("Mesh:Labels:only", "file"), new("Mesh:DrainDelay", "00:00:03"), new("Mesh:HealthCheckTags:0", "live")],
        });
        MeshVariables.AddTo(builder.Configuration, Variables.GetValueOrDefault);
        builder.AddMesh(mesh => mesh.Labels["tier"] = "code");
        using var host = builder.Build();

        var options = host.Services.GetRequiredService<IOptions<MeshOptions>>().Value;

        Assert.Equal(("env", "args-1", "host", MeshDeletion.Stop), (options.Namespace, options.PodName, options.Address, options.WhenDeleted));
        Assert.Equal(
            [("app", "web"), ("app.kubernetes.io/name", "shop"), ("only", "file"), ("tier", "code")],
            options.Labels.Select(label => (label.Key, label.Value)).Order());
        Assert.Equal([("grpc", 5001), ("http", 5000)], options.Ports.Select(port => (port.Key, port.Value)).Order());
        Assert.Equal((TimeSpan.FromSeconds(3), "live"), (options.DrainDelay, Assert.Single(options.HealthCheckTags)));
        Assert.Contains("Namespace=env (MESH_* of the environment)", ((IConfigurationRoot)host.Services.GetRequiredService<IConfiguration>()).GetDebugView(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Row", "ECO-3.4")]
    public void Joining_changes_nothing_of_the_configuration_that_the_application_has_already()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = ["--Mesh:PodName=args-1"] });
        using var json = new MemoryStream("""{ "Greeting": "hello", "Mesh": { "DrainDelay": "00:00:03" } }"""u8.ToArray());
        builder.Configuration.AddJsonStream(json); // read once, and not again
        builder.Configuration["Soup"] = "of the day";
        MeshVariables.AddTo(builder.Configuration, Variables.GetValueOrDefault);
        builder.AddMesh();
        using var host = builder.Build();

        var options = host.Services.GetRequiredService<IOptions<MeshOptions>>().Value;

        Assert.Equal(("of the day", "hello"), (builder.Configuration["Soup"], builder.Configuration["Greeting"]));
        Assert.Equal(("env", "args-1", TimeSpan.FromSeconds(3)), (options.Namespace, options.PodName, options.DrainDelay));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.4")]
    public async Task Settings_that_cannot_be_read_are_told_all_at_once_by_name_before_anything_starts()
    {
        var builder = Host.CreateApplicationBuilder();
        var bad = new Dictionary<string, string> { ["MESH_ENABLED"] = "maybe", ["MESH_LABELS"] = "app", ["MESH_PORTS"] = "http=many,grpc", ["MESH_WHEN_DELETED"] = "7" };
        MeshVariables.AddTo(builder.Configuration, bad.GetValueOrDefault);
        builder.Configuration.AddInMemoryCollection([new("Mesh:DrainDelay", "soon"), new("Mesh:FailFast", "1")]);
        builder.AddMesh();
        using var host = builder.Build();

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Stop));

        Assert.Equal(
            [
                "Mesh:DrainDelay is 'soon'; it must be a time such as 00:00:05.",
                "Mesh:Enabled (MESH_ENABLED) is 'maybe'; it must be true or false.",
                "Mesh:FailFast is '1'; it must be true or false.",
                "Mesh:Labels:app has no value; in MESH_LABELS they are key=value pairs, joined by commas.",
                "Mesh:Ports:grpc is ''; a port must be a number (in MESH_PORTS they are name=number pairs, joined by commas).",
                "Mesh:Ports:http is 'many'; a port must be a number (in MESH_PORTS they are name=number pairs, joined by commas).",
                "Mesh:WhenDeleted (MESH_WHEN_DELETED) is '7'; it must be stay, stop or register.",
            ],
            refused.Failures.Order(StringComparer.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    [Trait("Row", "DP-D18")]
    public async Task Without_a_host_the_environment_counts_too_and_code_wins()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var variables = new Dictionary<string, string>(Variables) { ["MESH_NODE_URL"] = node.Url, ["MESH_NAMESPACE"] = "default" };
        await using (var pod = await MeshClient.RegisterAsync(variables.GetValueOrDefault, TimeProvider.System, mesh => mesh.PodName = "code-1", log: null, Stop))
        {
            Assert.Equal(("code-1", "127.0.0.1", 5000), (pod.Identity!.Name, pod.Identity.Address.ToString(), pod.Ports["http"]));
            Assert.Equal("web", (await node.SinglePodAsync(Stop)).Label("app"));
        }

        Assert.Empty(await node.PodsAsync(Stop));
        variables["MESH_ENABLED"] = "false";
        await using var off = await MeshClient.RegisterAsync(variables.GetValueOrDefault, TimeProvider.System, configure: null, log: null, Stop);
        await off.SetReadyAsync(false, stop: Stop);
        Assert.Equal((false, MeshPodState.Unregistered), (off.IsEnabled, off.State));
        Assert.Empty(await node.PodsAsync(Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.Worker")]
    public async Task By_its_services_alone_a_worker_is_a_Pod_and_its_health_check_is_named_and_tagged_as_it_likes()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        using var host = new HostBuilder().ConfigureServices(services => services.AddMesh(mesh =>
        {
            mesh.NodeUrl = node.Url;
            mesh.Ports["metrics"] = 9464;
            mesh.HealthCheckName = "pod";
            mesh.HealthCheckTags.Add("live");
            mesh.DrainDelay = TimeSpan.Zero;
        })).Build();
        await host.StartAsync(Stop);
        await host.Mesh().IsAsync(MeshPodState.Ready, Stop);

        Assert.Equal(9464, (await node.SinglePodAsync(Stop)).Ports()["metrics"]);
        Assert.Equal((9464, (await node.SinglePodAsync(Stop)).Uid()), (host.Mesh().Ports["metrics"], (await host.Mesh().Registered).Uid));
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("live"), Stop);
        Assert.Equal(["pod"], report.Entries.Keys);
        await host.StopAsync(Stop);
    }

    [Fact(Timeout = 60_000)]
    public async Task Labels_and_annotations_that_change_in_the_configuration_change_the_Pod_and_nothing_else_does()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = HostUnderTest.Web(node, mesh => mesh.Labels["code"] = "stays");
        var file = new Dictionary<string, string?> { ["Mesh:Labels:tier"] = "blue", ["Mesh:Labels:old"] = "x", ["Mesh:Annotations:note"] = "one" };
        var source = new Edited(file);
        ((IConfigurationBuilder)builder.Configuration).Add(source);
        var lines = new Lines();
        builder.Logging.AddProvider(lines);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        await app.Mesh().PatchMetadataAsync(patch => patch.Labels["patched"] = "stays", Stop);

        source.Edit(new() { ["Mesh:Labels:tier"] = "green", ["Mesh:Annotations:note"] = "two", ["Mesh:Namespace"] = "other" });

        var pod = await Testing.Eventually.Meets("the Pod", async stop => await node.SinglePodAsync(stop), seen => seen.Label("tier") == "green" && seen.Annotation("note") == "two", TimeSpan.FromSeconds(20));
        Assert.Equal((null, "stays", "stays"), (pod.Label("old"), pod.Label("code"), pod.Label("patched")));

        source.Edit(new() { ["Mesh:Labels:tier"] = "not a label!", ["Mesh:Enabled"] = "maybe" });

        var told = Assert.Single(lines.Written, line => line.Contains("not usable", StringComparison.Ordinal));
        Assert.Contains("'not a label!' is not a valid value of 'tier'", told, StringComparison.Ordinal);
        Assert.StartsWith("Mesh.Client Warning: ", told, StringComparison.Ordinal);
        Assert.Equal("green", (await node.SinglePodAsync(Stop)).Label("tier"));
    }

    private sealed class Edited(Dictionary<string, string?> first) : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load() => Data = Data.Count == 0 ? first : Data;

        public void Edit(Dictionary<string, string?> now)
        {
            Data = now;
            OnReload();
        }
    }

    private sealed class Lines : ILoggerProvider
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Category(categoryName, Written);

        public void Dispose()
        {
        }

        private sealed class Category(string name, System.Collections.Concurrent.ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{name} {logLevel}: {formatter(state, exception)}");
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>An application that uses OpenTelemetry says which Pod it is, and its own words win.</summary>
public sealed class TelemetryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-7.1")]
    public async Task Traces_metrics_and_logs_name_the_Pod_that_is_registered()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = HostUnderTest.Web(node, options => options.Labels["app"] = "soup");
        builder.AddMeshTelemetry();
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        var pod = app.Mesh().Identity!.Name;
        foreach (var provider in (BaseProvider[])[Traces(app), app.Services.GetRequiredService<MeterProvider>(), app.Services.GetRequiredService<LoggerProvider>()])
        {
            var said = Said(provider);
            Assert.Equal(
                ("soup", "default", $"default.{pod}", "default", pod),
                (said["service.name"], said["service.namespace"], said["service.instance.id"], said["k8s.namespace.name"], said["k8s.pod.name"]));
        }
    }

    [Theory(Timeout = 30_000)]
    [InlineData("OTEL_SERVICE_NAME", "theirs")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "service.name=theirs,service.instance.id=7,k8s.pod.name=other")]
    [Trait("Row", "ECO-7.1")]
    public async Task What_the_user_says_wins(string variable, string value)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection([new(variable, value)]);
        builder.AddMesh(options => (options.PodName, options.Labels["app"]) = ("soup-1", "soup"));
        builder.Services.AddMeshTelemetry(builder.Configuration);
        await using var app = builder.Build();

        var said = Said(Traces(app));

        Assert.Equal("theirs", said["service.name"]);
        var isAll = variable == "OTEL_RESOURCE_ATTRIBUTES";
        Assert.Equal((isAll ? "7" : "default.soup-1", isAll ? "other" : "soup-1"), (said["service.instance.id"], said["k8s.pod.name"]));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "ECO-7.1")]
    public async Task What_the_application_says_wins_in_whatever_order_it_is_said(bool meshFirst)
    {
        var builder = WebApplication.CreateBuilder();
        void Join() => builder.AddMesh(options => (options.PodName, options.Labels["app"]) = ("soup-1", "soup"));
        if (meshFirst)
        {
            Join();
        }

        builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("theirs", serviceInstanceId: "7")).WithTracing();
        if (!meshFirst)
        {
            Join();
        }

        await using var app = builder.Build();

        var said = Said(Traces(app));

        Assert.Equal(("theirs", "7", "soup-1"), (said["service.name"], said["service.instance.id"], said["k8s.pod.name"]));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_labels_say_which_application_it_is_and_else_the_program_does()
    {
        async Task<object> NameAsync(params KeyValuePair<string, string>[] labels)
        {
            var builder = WebApplication.CreateBuilder();
            builder.AddMesh(options =>
            {
                foreach (var (key, value) in labels)
                {
                    options.Labels[key] = value;
                }
            });
            builder.AddMeshTelemetry();
            await using var app = builder.Build();
            return Said(Traces(app))["service.name"];
        }

        Assert.Equal("a", await NameAsync(new("app.kubernetes.io/instance", "a"), new("app.kubernetes.io/name", "b"), new("app", "c")));
        Assert.Equal("b", await NameAsync(new("app.kubernetes.io/name", "b"), new("app", "c")));
        Assert.Equal("c", await NameAsync(new KeyValuePair<string, string>("app", "c")));
        Assert.Equal("mesh-client-tests", await NameAsync());
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_Mesh_or_without_OpenTelemetry_nothing_is_added()
    {
        var disabled = WebApplication.CreateBuilder();
        disabled.AddMesh(options => options.Enabled = false);
        disabled.AddMeshTelemetry();
        await using var alone = disabled.Build();
        Assert.DoesNotContain("k8s.pod.name", Said(Traces(alone)).Keys);

        var plain = WebApplication.CreateBuilder();
        plain.AddMesh();
        await using var quiet = plain.Build();
        Assert.Null(quiet.Services.GetService<TracerProvider>());
        Assert.Null(quiet.Services.GetService<MeterProvider>());

        var off = WebApplication.CreateBuilder();
        off.Configuration.AddInMemoryCollection([new("OTEL_SDK_DISABLED", "true")]);
        off.AddMeshTelemetry();
        await using var silent = off.Build();
        Assert.Null(silent.Services.GetService<TracerProvider>());
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ECO-7.1")]
    public async Task A_Pod_is_counted_in_its_state_by_whoever_listens_after_it_began()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node), Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        var counts = new Dictionary<string, long>();
        using var listener = Listening("mesh.client.pods");
        listener.SetMeasurementEventCallback<long>((_, pods, tags, _) => counts[(string)tags[0].Value!] = pods);
        listener.Start();

        listener.RecordObservableInstruments();
        Assert.All(counts.Values, count => Assert.InRange(count, 0, long.MaxValue));
        Assert.InRange(counts["ready"], 1, long.MaxValue);
        Assert.Equal(["detached", "draining", "not_ready", "ready", "unregistered"], counts.Keys.Order(StringComparer.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-7.1")]
    public async Task Each_stream_is_counted_by_what_it_began_and_the_first_is_timed()
    {
        var streams = new ConcurrentQueue<string>();
        var times = new ConcurrentQueue<double>();
        using var listener = Listening("mesh.client.streams", "mesh.client.registration.duration");
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => streams.Enqueue((string)tags[0].Value!));
        listener.SetMeasurementEventCallback<double>((_, seconds, _, _) => times.Enqueue(seconds));
        listener.Start();
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var pod = await MeshClient.RegisterAsync(mesh => (mesh.NodeUrl, mesh.PodName) = (node.Url, "web-1"), stop: Stop);
        await node.StopAsync();
        await pod.IsAsync(MeshPodState.Detached, Stop);
        await node.StartAsync(Stop);
        await pod.IsAsync(MeshPodState.Ready, Stop);
        await node.DeletePodAsync("web-1", Stop);

        // Others register in this process meanwhile, so these are counted at least.
        foreach (var began in (string[])["first", "resumed", "another"])
        {
            await Testing.Eventually.Is(began, () => streams.Contains(began), true, TimeSpan.FromSeconds(20));
        }

        Assert.All(times, seconds => Assert.InRange(seconds, 0, 60));
        Assert.NotEmpty(times);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-7.1")]
    public async Task Registrations_that_nobody_holds_and_nobody_ended_are_not_kept_to_be_counted()
    {
        var dropped = Dropped();
        while (dropped.IsAlive)
        {
            GC.Collect();
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Dropped() => new(new PodStateBoard());
    }

    private static MeterListener Listening(params string[] names) => new()
    {
        InstrumentPublished = (instrument, listener) =>
        {
            if (names.Contains(instrument.Name))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        },
    };

    private static TracerProvider Traces(WebApplication app) => app.Services.GetRequiredService<TracerProvider>();

    private static Dictionary<string, object> Said(BaseProvider provider) => provider.GetResource().Attributes.ToDictionary();
}

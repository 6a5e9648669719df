using System.Net;
using Mesh.Client.Hosting;
using Mesh.ServiceDiscovery;
using Mesh.Testing.Time;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>Loops of the SDK that meet an exception nobody thought of: each pause is one that cannot be begun. No node answers here.</summary>
[Trait("Row", "CP-D8")]
public sealed class ClientLoopTests : IAsyncDisposable
{
    private const string Nowhere = "http://127.0.0.1:1";

    private readonly PlantedTime _time = new();
    private readonly LogLines _log = new();
    private readonly CancellationTokenSource _stop = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stop.Dispose();
        _log.Dispose();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "registration stream")]
    public Task The_stream_is_tried_again() => RunsAgainAsync("registration stream", () =>
    {
        var (node, wish, standing) = Pod();
        return new PodStream(node, wish, standing, MeshDeletion.Register, _time, new Random(1), _log).RunAsync;
    });

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "changes of the Pod")]
    public Task Changes_are_told_again() => RunsAgainAsync("changes of the Pod", () =>
    {
        var (node, wish, standing) = Pod();
        standing.Is(new PodIdentity { Namespace = "default", Name = "web", Uid = "u1", Node = "n1", Address = IPAddress.Loopback });
        wish.Opened(wish.Desired, "127.0.0.1");
        wish.Change(desired => desired with { Ready = true });
        return new PodChanges(node, wish, standing, _time, _log).RunAsync;
    });

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "health checks")]
    public async Task Health_is_checked_again()
    {
        await using var services = new ServiceCollection().AddLogging().AddHealthChecks().Services.BuildServiceProvider();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = Nowhere }, _time, new Random(1), _log);
        await RunsAgainAsync("health checks", () => new HealthReadiness(pod, services.GetRequiredService<HealthCheckService>(), _time).RunAsync);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "answers to the node")]
    public async Task The_node_is_answered_again()
    {
        var answers = new NodeAnswers();
        answers.Dispose(); // so that each run of its loop ends by it
        var running = ClientLoop.RunAsync("answers to the node", answers.RunAsync, _time, _log, _stop.Token);
        while (_log.Written.Count(static line => line.StartsWith("Error: The loop 'answers to the node' of Mesh ended unexpectedly", StringComparison.Ordinal)) < 2)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await _stop.CancelAsync();
        await running;
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "Service at the node")]
    public async Task A_Service_is_asked_for_again()
    {
        Assert.True(NodeEndpoint.TryParse(Nowhere, out var node));
        Assert.True(MeshServiceName.TryParse("web.default", "default", out var name));
        using var source = new WatchSource(node, Nowhere, _time, new Random(1), _log);
        FailPauses();
        await using var watch = ServiceWatch.Begin(source, name);
        await PassAsync("Service at the node");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_log_that_fails_ends_no_loop_and_one_that_returns_or_is_stopped_is_over()
    {
        var runs = 0;
        var running = ClientLoop.RunAsync("planted", _ => ++runs < 3 ? throw PlantedTime.Planted() : Task.CompletedTask, _time, new FailingLog(), _stop.Token);
        while (!running.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await running;
        Assert.Equal(3, runs);
        running = ClientLoop.RunAsync("planted", _ => throw PlantedTime.Planted(), _time, _log, _stop.Token);
        await _stop.CancelAsync();
        await running;
    }

    private async Task RunsAgainAsync(string name, Func<Func<CancellationToken, Task>> make)
    {
        var loop = make();
        FailPauses();
        var running = ClientLoop.RunAsync(name, loop, _time, _log, _stop.Token);
        await PassAsync(name);
        await _stop.CancelAsync();
        await running;
    }

    /// <summary>Two runs end by it; those of the boundary itself can be made.</summary>
    private void FailPauses() => _time.FailTimers(2, static (due, period) =>
        period == Timeout.InfiniteTimeSpan && due <= TimeSpan.FromSeconds(2) && due.TotalMilliseconds is not (50 or 100));

    private async Task PassAsync(string name)
    {
        while (_time.TimersToFail > 0)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        Assert.Contains(_log.Written, line => line.StartsWith($"Error: The loop '{name}' of Mesh ended unexpectedly", StringComparison.Ordinal));
    }

    private (NodeClient Node, PodWish Wish, PodStanding Standing) Pod()
    {
        var options = new MeshOptions { NodeUrl = Nowhere, PodName = "web" };
        Assert.True(NodeEndpoint.TryParse(Nowhere, out var node));
        return (new NodeClient(node, Nowhere, _time), new PodWish(PodDesired.From(options, new Random(1))), new PodStanding(Nowhere, _time, _log));
    }

    private sealed class FailingLog : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw PlantedTime.Planted();
    }
}

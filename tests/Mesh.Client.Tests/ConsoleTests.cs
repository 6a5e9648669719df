using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A console without a host waits for its node, but not for ever, and is told why it is no Pod.</summary>
public sealed class ConsoleTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(77);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public void Being_registered_is_waited_for_10_s_at_most() => Assert.Equal(TimeSpan.FromSeconds(10), new MeshOptions().RegisterTimeout);

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public async Task Without_a_node_it_ends_after_its_time_with_what_it_met_and_what_to_do()
    {
        await using var node = NodeUnderTest.Away();
        var (time, failure) = (new ArmedTime(), new FirstLine());
        var registering = RegisterAsync(node.Url, time, failure);

        await failure.Written.WaitAsync(Stop);
        await time.AdvanceAsync(Limit, Stop);

        var told = await Assert.ThrowsAsync<InvalidOperationException>(() => registering);
        Assert.StartsWith($"This process is no Pod: the node at {node.Url} did not register this process within 77 s: Connection refused", told.Message, StringComparison.Ordinal);
        Assert.EndsWith("; is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen? (MESH_ENABLED=false runs it without Mesh)", told.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.RegisterAsync")]
    public async Task A_refusal_that_cannot_pass_ends_it_at_once()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var node = builder.Build();
        node.Run(async context =>
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("""{"kind":"Status","message":"ports: 6443 is Mesh's own."}""");
        });
        await node.StartAsync(Stop);

        // Nobody lets time pass.
        var told = await Assert.ThrowsAsync<InvalidOperationException>(() => RegisterAsync(node.Urls.Single(), new ArmedTime(), new FirstLine()));

        Assert.StartsWith($"This process is no Pod: the node at {node.Urls.Single()} refuses to register this process: ports: 6443 is Mesh's own (", told.Message, StringComparison.Ordinal);
    }

    private static Task<IMeshPod> RegisterAsync(string url, TimeProvider time, ILogger log) =>
        MeshClient.RegisterAsync(_ => null, time, mesh => (mesh.NodeUrl, mesh.RegisterTimeout) = (url, Limit), log, Stop);

    /// <summary>Completes with the first line of the log: that of the first failure.</summary>
    private sealed class FirstLine : ILogger
    {
        private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Written => _written.Task;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _written.TrySetResult();
    }
}

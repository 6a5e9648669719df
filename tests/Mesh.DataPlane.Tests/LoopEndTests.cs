using Mesh.Core.Descriptors;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing.Certificates;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.DataPlane.Tests;

/// <summary>An exception that nothing expects, in each loop of the data plane: it is told, and what was served is served on.</summary>
public sealed class LoopEndTests
{
    private const int Limit = 60_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "listeners of Services")]
    public async Task The_loop_of_the_listeners_opens_after_an_exception_what_it_had_in_hand_and_closes_nothing()
    {
        await using var backend = new RecordingBackend();
        var time = new PlantedTime();
        await using var host = new L4Host(time: time);
        var first = await host.ServeAsync(backend.Pod("a"));
        using var kept = await L4Host.ConnectAsync(first, Stop);
        await L4Host.AskAsync(kept, Stop);

        var second = L4Host.FreeClusterIP();
        time.FailTimestamps(1);
        host.Routes.Service("other", second.Address.ToString(), second.Port, backend.Pod("a"));
        await host.Loops.EndedAsync("listeners of Services", Stop);

        using (var client = await RawClient.ConnectAsync(first, Stop)) // never closed
        {
            await L4Host.AskAsync(client, Stop);
        }

        await L4Host.AnswersAsync(second, Stop);
        await L4Host.AskAsync(kept, Stop);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "port of a Service")]
    public async Task A_port_of_a_Service_accepts_after_an_exception()
    {
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.AnswerEachAsync(RecordingBackend.Ok);
            connection.Close();
        });
        await using var host = new L4Host(new ServiceListenerOptions { Descriptors = new DescriptorBudget(320 + 14) }, log: new FailingLog("accepts nobody"));
        var address = await host.ServeAsync(backend.Pod("a"));
        var clients = new List<RawClient> { await L4Host.ConnectAsync(address, Stop) };
        while (clients.Count < 20)
        {
            clients.Add(await RawClient.ConnectAsync(address, Stop)); // those for whom there is no room wait in the backlog
        }

        await host.Loops.EndedAsync("port of a Service", Stop); // the line about them met the exception
        clients.ForEach(client => client.Dispose());
        while (host.Listeners.OpenConnections > 0)
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }

        await L4Host.AnswersAsync(address, Stop);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "Ingress endpoints")]
    public async Task The_gateway_follows_endpoints_after_an_exception_about_one_Service()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("a")]);
        host.Gateway.Update([null!]); // no caller does so
        await host.Loops.EndedAsync("Ingress endpoints", Stop);

        // A pool is made, and goes with its endpoint.
        Assert.Equal(200, (await host.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Status);
        host.Routes.Service("web", "127.97.0.1", 80);
        await (await backend.AcceptedAsync(Stop)).Ended.WaitAsync(Stop);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "Ingress certificates")]
    public async Task Certificates_are_shown_after_an_exception_about_one()
    {
        using var authority = new TestAuthority();
        using var log = new FailingLog("is not taken here");
        await using var host = await GatewayHost.StartAsync([], logs: log);
        host.Routes.DefaultCertificate("no certificate"u8.ToArray()); // a control plane tells of none that cannot be read
        await host.Loops.EndedAsync("Ingress certificates", Stop);

        host.Routes.DefaultCertificate(authority.Issue("default").Bundle);
        using var client = await TlsClient.ConnectAsync(host.TlsAddress, "app.test", Stop);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop);
        Assert.Equal(503, (await client.AnswerAsync(Stop))!.Status);
    }

    /// <summary>The first line that says this cannot be written.</summary>
    private sealed class FailingLog(string says) : ILogger<ServiceListeners>, ILoggerFactory
    {
        private int _failed;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is held.
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).Contains(says, StringComparison.Ordinal) && Interlocked.Exchange(ref _failed, 1) == 0)
            {
                throw PlantedTime.Planted();
            }
        }
    }
}

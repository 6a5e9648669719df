using System.Net;
using Mesh.EndToEnd.Tests.Traffic;
using Mesh.Testing;
using Mesh.Testing.Http;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>
/// Through a ClusterIP a kept connection is one to the process itself. While that leaves, each of its answers says so, and its
/// clients are elsewhere before it closes: no request is lost, also not one that no client would send a second time.
/// </summary>
public sealed class RollingRestartTests
{
    private const int Restarts = 6;
    private const int Clients = 4;
    private const int Requests = 4_000;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    [Trait("Row", "ECO-3.2.stopping")]
    public async Task Six_rolling_restarts_cost_no_request_of_4000_on_kept_connections()
    {
        await using var machine = await SiloUnderTest.StartNewAsync();
        using var api = machine.Api();
        using var node = new HttpClient { BaseAddress = machine.NodeUrl };
        var service = new IPEndPoint(await SomeService.CreateAsync(api, "soup", "soup", [new { port = SomeService.Port, targetPort = "http" }], Stop), SomeService.Port);
        var living = new Queue<ProcessUnderTest>();
        try
        {
            living.Enqueue(await StartAsync(machine, node, "soup-0"));
            living.Enqueue(await StartAsync(machine, node, "soup-1"));
            await Eventually.Is("the ClusterIP answers", async stop => (await AskOnceAsync(service, stop)).Status, 200, Soon);
            var requests = new Watched("a request");
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var load = Enumerable.Range(0, Clients).Select(_ => AskAsync(service, requests, enough.Token)).ToList();

            for (var restart = 0; restart < Restarts; restart++)
            {
                await using var old = living.Dequeue();
                Signals.Terminate(old.Pid);
                Assert.Equal(0, await old.WaitForExitAsync(Stop));
                living.Enqueue(await StartAsync(machine, node, $"soup-{restart + 2}"));
            }

            await Eventually.Meets("requests", _ => Task.FromResult(requests.Done), done => done >= Requests, Soon);
            await enough.CancelAsync();
            await Task.WhenAll(load);
            Assert.Empty(requests.Failures);
        }
        finally
        {
            foreach (var soup in living)
            {
                await soup.DisposeAsync();
            }
        }
    }

    /// <summary>Asks on one connection for as long as the answers let it, then on the next; what fails is not tried again.</summary>
    private static async Task AskAsync(IPEndPoint service, Watched requests, CancellationToken stop)
    {
        RawHttp? kept = null;
        await requests.RepeatAsync(
            async token =>
            {
                var connection = kept ?? await RawHttp.ConnectAsync(service, token);
                kept = null;
                var answer = await AskAsync(connection, token);
                if (answer.Headers["Connection"].Contains("close", StringComparer.OrdinalIgnoreCase))
                {
                    await connection.DisposeAsync();
                    return;
                }

                kept = connection;
            },
            stop);
        await (kept?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private static async Task<RawResponse> AskAsync(RawHttp connection, CancellationToken stop)
    {
        await connection.SendAsync("POST / HTTP/1.1\r\nHost: soup\r\nContent-Length: 1\r\n\r\nx", stop);
        var answer = await connection.ReadResponseAsync(stop);
        return answer.Status == 200 ? answer : throw new InvalidDataException(answer.StatusLine);
    }

    private static async Task<RawResponse> AskOnceAsync(IPEndPoint service, CancellationToken stop)
    {
        await using var connection = await RawHttp.ConnectAsync(service, stop);
        return await AskAsync(connection, stop);
    }

    private static async Task<ProcessUnderTest> StartAsync(SiloUnderTest machine, HttpClient node, string name)
    {
        var soup = ProcessUnderTest.Start(
            BuiltProgram.Path("Soup", "Soup"),
            [],
            new Dictionary<string, string> { ["MESH_NODE_URL"] = machine.NodeUrl.ToString(), ["MESH_POD_NAME"] = name, ["MESH_LABELS"] = "app=soup", ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });
        await Eventually.Meets(
            $"{name} is ready",
            async stop => await node.GetStringAsync($"/v1/namespaces/default/pods/{name}", stop),
            pod => pod.Contains("\"type\":\"Ready\",\"status\":\"True\"", StringComparison.Ordinal),
            Soon);
        // The node knows it as ready at once; a client comes to it from when the control plane has it among the Service's endpoints.
        await Eventually.Meets(
            $"{name} is an endpoint of the Service",
            async stop => await node.GetStringAsync("/v1/namespaces/default/services/soup", stop),
            service => service.Contains($"\"{name}\"", StringComparison.Ordinal),
            Soon);
        return soup;
    }
}

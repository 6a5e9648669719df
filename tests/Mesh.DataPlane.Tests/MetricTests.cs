using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing.Telemetry;
using Xunit;

namespace Mesh.DataPlane.Tests;

/// <summary>What docs/metrics.md says of the data plane, counted under real traffic.</summary>
[Collection(nameof(Alone))]
public sealed class MetricTests
{
    private const int Limit = 60_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
    private const string Web = "k8s.namespace.name=default k8s.service.name=web";
    private const string Plain = "network.protocol.version=1.1 url.scheme=http";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task A_request_is_active_while_it_is_carried_and_then_timed_with_its_route_and_Service()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            await answer.Task;
            await connection.SendAsync(RecordingBackend.Ok);
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var measured = new Measured(DataPlaneMetrics.MeterName);
        using var client = await host.ConnectAsync(Stop);
        await client.SendAsync(Get, Stop);
        await backend.AcceptedAsync(Stop);
        Assert.Equal(1, measured.Sum("http.server.active_requests"));

        answer.SetResult();
        Assert.Equal(200, (await client.AnswerAsync(Stop))!.Status);
        await measured.UntilAsync("http.server.request.duration", 1, Stop);

        Assert.Equal(0, measured.Sum("http.server.active_requests"));
        Assert.Equal([$"http.request.method=GET http.response.status_code=200 http.route=app.test/ {Web} {Plain}"], measured.Tags("http.server.request.duration"));
        Assert.InRange(measured.Sum("http.server.request.duration", measured.Tags("http.server.request.duration")[0]), 1e-6, 20);
    }

    [Fact(Timeout = Limit)]
    public async Task What_the_gateway_answers_itself_is_counted_by_its_reason()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1", ready: false)]);
        using var measured = new Measured(DataPlaneMetrics.MeterName);

        Assert.Equal(404, (await host.AskAsync("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", Stop))!.Status);
        Assert.Equal(503, (await host.AskAsync("BREW / HTTP/1.1\r\nHost: app.test\r\n\r\n", Stop))!.Status);
        Assert.Equal(400, (await host.AskAsync("GET / HTTP/1.1\r\nHost: app.test\r\nbad\r\n\r\n", Stop))!.Status);
        await measured.UntilAsync("http.server.request.duration", 2, Stop);

        Assert.Equal(["reason=NoMatchingHost", "reason=NoReadyEndpoints", "reason=MalformedRequest"], measured.Tags("mesh.forward.refusals"));
        Assert.Equal(
            [
                $"http.request.method=GET http.response.status_code=404 {Plain}",
                $"error.type=NoReadyEndpoints http.request.method=_OTHER http.response.status_code=503 http.route=app.test/ {Web} {Plain}",
            ],
            measured.Tags("http.server.request.duration"));
    }

    [Fact(Timeout = Limit)]
    public async Task Endpoints_that_take_no_connection_and_requests_that_go_to_another_are_counted_by_Service()
    {
        await using var backend = new RecordingBackend();
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1"), new SomePod("gone", L4Host.FreeClusterIP())]);
        using var measured = new Measured(DataPlaneMetrics.MeterName);

        while (measured.Tags("mesh.forward.connect_failures").Length == 0)
        {
            Assert.Equal(200, (await host.AskAsync(Get, Stop))!.Status);
        }

        Assert.Equal([Web], measured.Tags("mesh.forward.connect_failures"));
        Assert.Equal([$"{Web} reason=not_connected"], measured.Tags("mesh.forward.retries"));
    }

    [Fact(Timeout = Limit)]
    public async Task A_request_that_got_no_answer_and_is_sent_again_is_counted_with_that_reason()
    {
        var first = 1;
        await using var backend = new RecordingBackend(async connection =>
        {
            await connection.ReceiveUntilAsync("\r\n\r\n");
            if (Interlocked.Exchange(ref first, 0) == 1)
            {
                connection.Close();
                return;
            }

            await connection.SendAsync(RecordingBackend.Ok);
        });
        await using var host = await GatewayHost.StartAsync([backend.Pod("web-1")]);
        using var measured = new Measured(DataPlaneMetrics.MeterName);

        Assert.Equal(200, (await host.AskAsync(Get, Stop))!.Status);

        Assert.Equal([$"{Web} reason=no_answer"], measured.Tags("mesh.forward.retries"));
    }

    [Fact(Timeout = Limit)]
    public async Task Connections_and_bytes_of_the_L4_proxy_are_counted_by_Service()
    {
        await using var backend = new RecordingBackend();
        await using var host = new L4Host(new ServiceListenerOptions { Descriptors = new DescriptorBudget(320 + 3) });
        var address = L4Host.FreeClusterIP();
        using var measured = new Measured(DataPlaneMetrics.MeterName);
        host.Routes.Service("web", address.Address.ToString(), address.Port, backend.Pod("web-1"));
        await host.StartAsync();
        using (var client = await L4Host.ConnectAsync(address, Stop))
        {
            await client.SendAsync(Get, Stop);
            Assert.Equal("ok", (await client.AnswerAsync(Stop))!.Body);
            Assert.Equal(1, measured.Sum("mesh.service.connections", Web));
            await measured.UntilAsync("mesh.forward.refusals", 1, Stop);
            Assert.Equal([$"{Web} reason=Overloaded"], measured.Tags("mesh.forward.refusals"));
        }

        (await backend.AcceptedAsync(Stop)).Close(); // a connection lasts until both sides have ended
        await measured.UntilAsync("mesh.service.io", 2, Stop);
        await measured.UntilAsync("mesh.service.connections", 2, Stop);
        Assert.Equal(0, measured.Sum("mesh.service.connections", Web));
        Assert.Equal(Get.Length, measured.Sum("mesh.service.io", $"{Web} network.io.direction=receive"));
        Assert.Equal(RecordingBackend.Ok.Length, measured.Sum("mesh.service.io", $"{Web} network.io.direction=transmit"));
    }

    [Fact(Timeout = Limit)]
    public async Task An_endpoint_that_takes_no_connection_of_the_L4_proxy_is_counted_by_Service()
    {
        await using var host = new L4Host();
        var address = L4Host.FreeClusterIP();
        using var measured = new Measured(DataPlaneMetrics.MeterName);
        host.Routes.Service("web", address.Address.ToString(), address.Port, new SomePod("gone", L4Host.FreeClusterIP()));
        await host.StartAsync();

        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var client = await L4Host.ConnectAsync(address, Stop); // which may be reset before it returns
            await client.Socket.ReceiveAsync(new byte[1], Stop);
        });

        Assert.Equal([Web], measured.Tags("mesh.forward.connect_failures"));
    }
}

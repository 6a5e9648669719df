using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A node that refuses, or is none: one clear line each half minute, tried again ever more seldom, and the host goes on.</summary>
public sealed class RefusedTests
{
    private const string NoNode = "what answers there is no mesh-node: MESH_NODE_URL is where it registers Pods (--node-listen, http://127.0.0.1:6480 by default)";

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData(400, """{"kind":"Status","message":"ports: 6443 is Mesh's own."}""", "ports: 6443 is Mesh's own.")]
    [InlineData(404, """{"kind":"Status","message":"Namespace default does not exist."}""", "Namespace default does not exist.")]
    [InlineData(404, "<html>a page of some other server</html>", "status 404, and no reason; " + NoNode)]
    [InlineData(409, """{"kind":"Status","message":"Pod default/p is registered."}""", "Pod default/p is registered; choose another MESH_POD_NAME, or none: then a name is made")]
    [InlineData(409, """{"kind":"Status","message":"address: 127.80.0.1 was allocated to another Pod."}""", "address: 127.80.0.1 was allocated to another Pod.")]
    [InlineData(429, """{"kind":"Status","message":"This node has 10000 registrations."}""", "This node has 10000 registrations.")]
    [InlineData(503, """{"kind":"Status","message":"No options yet."}""", "No options yet.")]
    [InlineData(500, "", "status 500, and no reason")]
    [InlineData(302, "", "status 302, and no reason; " + NoNode)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_refusal_is_told_once_in_half_a_minute_and_tried_again_at_least_every_ten_seconds(int status, string body, string reason)
    {
        await using var node = await StrangerAsync(async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
        });
        var (time, log) = (new ArmedTime(), new Lines());
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Urls.Single(), PodName = "p" }, time, new Random(1), log);
        pod.Begin("host", []);

        var (waits, passed) = (0, TimeSpan.Zero);
        for (; log.Count < 2; waits++)
        {
            passed += await time.RetryAsync(AnswerTimeout, Stop);
        }

        Assert.InRange(passed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        Assert.InRange(waits, 4, 30);
        Assert.All(log, line => Assert.Equal($"Warning: Not registered with the node at {node.Urls.Single()}: {reason}; it is tried again", line));
        Assert.Equal((reason, null), (pod.LastFailure, pod.Identity));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(409, "p")]
    [InlineData(409, "")]
    [InlineData(404, "p")]
    [InlineData(422, "p")]
    [Trait("Row", "ECO-3.2.rules")]
    [Trait("Row", "DP-D6")]
    public async Task What_the_silo_refuses_after_its_node_took_it_is_tried_ever_more_seldom_and_as_a_new_Pod(int code, string name)
    {
        var uids = new ConcurrentQueue<string?>();
        await using var node = await StrangerAsync(context =>
        {
            uids.Enqueue(context.Request.Query["uid"].FirstOrDefault());
            return context.Response.WriteAsync(
                "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"namespace\":\"default\",\"name\":\"p\",\"uid\":\"u\"},\"status\":{\"podIP\":\"127.0.0.1\"}}}\n"
                + $"{{\"type\":\"ERROR\",\"object\":{{\"code\":{code},\"message\":\"No.\"}}}}\n");
        });
        var time = new ArmedTime();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Urls.Single(), PodName = name }, time, new Random(1), new Lines());
        pod.Begin("host", []);

        var passed = TimeSpan.Zero;
        for (var wait = 0; wait < 15; wait++)
        {
            passed += await time.RetryAsync(AnswerTimeout, Stop);
        }

        Assert.InRange(passed, code == 422 || name.Length > 0 && code == 409 ? TimeSpan.FromSeconds(40) : TimeSpan.FromSeconds(15), TimeSpan.MaxValue);
        Assert.StartsWith("No", pod.LastFailure, StringComparison.Ordinal);
        Assert.True(code == 422 || uids.All(uid => uid is null), string.Join(", ", uids));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_change_that_the_node_cannot_take_now_is_told_ever_more_seldom_and_is_not_lost()
    {
        var isBusy = true;
        await using var node = await StrangerAsync(async context =>
        {
            if (context.Request.Method == "PUT")
            {
                await context.Response.WriteAsync(
                    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"namespace\":\"default\",\"name\":\"p\",\"uid\":\"u\"},\"status\":{\"podIP\":\"127.0.0.1\"}}}\n", Stop);
                await context.Response.Body.FlushAsync(Stop);
                await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted); // the stream stays open
            }

            context.Response.StatusCode = Volatile.Read(ref isBusy) ? 503 : 200;
        });
        var time = new ArmedTime();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Urls.Single(), PodName = "p" }, time, new Random(1), new Lines());
        pod.Begin("host", []);
        await pod.Registered.WaitAsync(Stop);

        var told = pod.SetReadyAsync(false, stop: Stop).AsTask();
        var waits = new List<double>();
        while (waits.Count < 6)
        {
            waits.Add((await time.RetryAsync(AnswerTimeout, Stop)).TotalMilliseconds);
        }

        Assert.Equal([200, 400, 800, 1600, 2000, 2000], waits);
        Assert.False(told.IsCompleted);
        Volatile.Write(ref isBusy, false);
        await time.UntilAsync(told, AnswerTimeout, Stop);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"u\"},\"status\":{\"podIP\":\"not an address\"}}}\n", "a Pod without an IP address")]
    [InlineData("{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"uid\":\"u\"},\"status\":{}}}\n", "a Pod without an IP address")]
    [InlineData("{\"type\":\"ERROR\",\"object\":{\"code\":418,\"message\":\"a teapot\"}}\n", "a teapot")]
    [Trait("Row", "ECO-3.2.rules")]
    [Trait("Row", "DP-D18")]
    public async Task No_answer_to_the_question_for_an_address_keeps_the_host_from_starting(string answer, string reason)
    {
        await using var stranger = await StrangerAsync(context => context.Response.WriteAsync(answer));
        await using var nobody = NodeUnderTest.Away();
        await using var app = await HostUnderTest.StartAsync(
            HostUnderTest.Web(nobody, mesh => (mesh.NodeUrl, mesh.Address, mesh.AllocateTimeout) = (stranger.Urls.Single(), "allocate", TimeSpan.FromMilliseconds(300))), Stop);

        using var client = new HttpClient();
        Assert.Equal("soup", await client.GetStringAsync(app.Urls.Single(), Stop));
        Assert.StartsWith(reason, app.Mesh().LastFailure, StringComparison.Ordinal);
        Assert.False(app.Mesh().Registered.IsCompleted);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task One_that_accepts_and_says_nothing_or_never_a_line_is_given_up_after_ten_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var lineless = await StrangerAsync(async context =>
        {
            await context.Response.StartAsync(context.RequestAborted);
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
        });
        foreach (var url in (string[])[$"http://{silent.LocalEndpoint}", lineless.Urls.Single()])
        {
            var (time, log) = (new ArmedTime(), new Lines());
            await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = url, PodName = "p" }, time, new Random(1), log);
            pod.Begin("host", []);
            await time.AdvanceAsync(AnswerTimeout, Stop);

            await time.RetryAsync(AnswerTimeout, Stop);
            Assert.Contains("no answer within 10 s", log.Single(), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task Bytes_that_are_no_HTTP_are_a_node_that_is_away()
    {
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        var log = new Lines();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = $"http://{stranger.LocalEndpoint}" }, TimeProvider.System, new Random(1), log);
        pod.Begin("host", []);
        for (var i = 0; i < 2; i++)
        {
            using var client = await stranger.AcceptTcpClientAsync(Stop);
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes("\x16\x03\xff\xfe not HTTP\r\n\r\n"), Stop);
        }

        Assert.Contains("Not registered", Assert.Single(log), StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task Only_a_host_that_is_told_to_fail_fast_does_not_start_without_its_node(bool failFast)
    {
        await using var node = NodeUnderTest.Away();
        var time = new ArmedTime();
        await using var app = HostUnderTest.Web(node, options => options.FailFast = failFast).With(time).Build();
        var starting = app.StartAsync(Stop);
        if (failFast)
        {
            // The node's answer is awaited as long, so its time may pass first.
            while (await Task.WhenAny(starting, time.ArmedAsync(AnswerTimeout, Stop)) != starting)
            {
                time.Advance(AnswerTimeout);
            }

            var failed = await Assert.ThrowsAsync<InvalidOperationException>(() => starting);
            Assert.StartsWith($"Mesh:FailFast is set, and the node at {node.Url} did not register this process within 10 s: ", failed.Message, StringComparison.Ordinal);
        }
        else
        {
            await starting;
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task A_host_that_fails_fast_starts_with_its_node()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node, options => options.FailFast = true), Stop);

        Assert.NotNull(app.Mesh().Identity);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.rules")]
    public async Task Registering_is_one_line_and_registering_again_another()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var log = new Lines();
        await using var pod = PodRegistration.Create(new MeshOptions { NodeUrl = node.Url, PodName = "p" }, TimeProvider.System, new Random(1), log);
        pod.Begin("host", []);
        await pod.IsAsync(MeshPodState.Ready, Stop);
        await node.StopAsync();
        await pod.IsAsync(MeshPodState.Detached, Stop);
        node.Forget();
        await node.StartAsync(Stop);
        await pod.IsAsync(MeshPodState.Ready, Stop);

        Assert.Equal(["Information: Registered as Pod default/p at 127.0.0.1", "Information: Registered again as Pod default/p at 127.0.0.1"], log.Where(line => line.StartsWith("Information", StringComparison.Ordinal)));
        Assert.Single(log, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    /// <summary>A server that is no node.</summary>
    internal static async Task<WebApplication> StrangerAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var server = builder.Build();
        server.Run(answer);
        await server.StartAsync(Stop);
        return server;
    }

    private sealed class Lines : ConcurrentQueue<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}

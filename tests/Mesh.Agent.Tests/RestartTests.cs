using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Agent.Pods;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using Registration = Mesh.NodeLink.Wire.Registration;

namespace Mesh.Agent.Tests;

/// <summary>What becomes of registrations when the node process is another one, and what is told of manifest Pods.</summary>
public sealed class RestartTests
{
    private static readonly AgentIdentity Next = new(2, "boot");

    [Fact(Timeout = 30_000)]
    public async Task A_registration_whose_ports_accept_lives_on_and_its_stream_takes_it_up_again()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", Port(app))], identity: Next);
        var alive = await agent.Routed.Reader.ReadAsync(stop);
        Assert.True(alive is { Uid: "u1", IsAlive: true, IsReady: true });
        Assert.True(alive.Liveness >> 32 == 2);

        using var curl = Curl.Put(agent.Url, "web", "{\"ports\":[{\"containerPort\":" + Port(app) + "}]}", "?uid=u1");

        Assert.Equal("u1", RegistrationTests.Uid(await curl.LineAsync(stop)));
        curl.Kill();
        Assert.Equal("u1", (await agent.RoutedAsync(told => !told.IsAlive, stop)).Uid);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "R-M5")]
    public async Task A_client_that_keeps_no_uid_takes_its_Pod_up_again_by_asking_for_the_same()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", Port(app))], identity: Next);
        Assert.True((await agent.Routed.Reader.ReadAsync(stop)).IsReady);

        using var curl = Curl.Put(agent.Url, "web", "{\"ports\":[{\"containerPort\":" + Port(app) + "}]}");

        Assert.Equal("u1", RegistrationTests.Uid(await curl.LineAsync(stop)));
        Assert.Equal("u1", Assert.Single(agent.Agent.Inventory("").Pods).Uid);
        using var http = new HttpClient { BaseAddress = agent.Url };
        using var second = await http.PutAsync("/v1/namespaces/default/pods/web", new StringContent("{\"ports\":[{\"containerPort\":" + Port(app) + "}]}"), stop);
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode); // a Pod whose stream is open is somebody's
    }

    [Theory(Timeout = 30_000)]
    [InlineData("""{"httpGet":{"port":80,"scheme":"http"}}""")]
    [InlineData("""{"httpGet":{"port":80,"scheme":"HtTp","later":1,"httpHeaders":[{"name":"a","value":"b","later":1}]},"terminationGracePeriodSeconds":5}""")]
    [InlineData("""{"tcpSocket":{"port":"http","later":{"a":1} },"periodSeconds":5,"later":[]}""")]
    [InlineData("""{"httpGet":{"port":"a--b","scheme":"ftp","httpHeaders":[{"name":"X_Probe","value":"1"},{"name":"X-Probe","value":"2"}]}}""")]
    public async Task What_an_earlier_build_took_and_this_one_refuses_ends_no_Pod_that_lives(string probe)
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        var record = Record("u1", "web", Port(app));
        var own = $$"""{"containerPort":{{Port(app)}} }""";
        var named = $$"""{"name":"http","containerPort":{{Port(app)}},"protocol":"TCP"}""";
        var many = string.Join(',', Enumerable.Range(0, 100).Select(_ => own).Append(named).Append(named));
        // As many others as there may be and more: of another protocol, so that nobody has to listen there.
        var others = string.Join(',', Enumerable.Range(20_000, 100).Select(port => $$"""{"containerPort":{{port}},"protocol":"UDP"}"""));
        var unnamed = """{"name":"a--b","containerPort":9,"protocol":"UDP"}""";
        var body = $$"""{"ports":[{{many}},{{others}},{{unnamed}}],"address":"host","readinessProbe":{{probe}} }""";
        record.Request = Google.Protobuf.ByteString.CopyFromUtf8(body);

        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [record], identity: Next);

        Assert.Equal("u1", Assert.Single(agent.Agent.Inventory("").Pods).Uid);
        Assert.Equal("u1", Assert.Single(agent.Journal).Key);
        var alive = await agent.Routed.Reader.ReadAsync(stop);
        Assert.True(alive is { Uid: "u1", IsAlive: true, IsReady: true });
        var read = JournaledRequest.Read(record.Request.Memory);
        Assert.Equal(64, read.Ports.Length);
        Assert.Equal(("http", Port(app)), (read.Ports[0].Name, read.Ports[0].Number));
        Assert.Equal(20_000, read.Ports[1].Number);

        using var curl = Curl.Put(agent.Url, "web", body, "?uid=u1");
        Assert.Equal("u1", RegistrationTests.Uid(await curl.LineAsync(stop)));
    }

    [Fact]
    public void A_journaled_registration_that_is_none_is_refused()
    {
        Assert.Throws<FormatException>(() => JournaledRequest.Read("""{"ports":5}"""u8.ToArray()));
        Assert.Throws<FormatException>(() => JournaledRequest.Read("5"u8.ToArray()));
        Assert.Throws<FormatException>(() => JournaledRequest.Read("{"u8.ToArray()));
        Assert.Throws<FormatException>(() => JournaledRequest.Read("""{"ports":5,"ports":5}"""u8.ToArray()));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_full_disk_ends_no_Pod_whose_stream_comes_back_with_what_is_journaled()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", Port(app))], identity: Next);
        agent.IsDiskFull = true;

        using var curl = Curl.Put(agent.Url, "web", "{\"ports\":[{\"containerPort\":" + Port(app) + "}]}", "?uid=u1");

        var line = await curl.LineAsync(stop);
        Assert.Equal("u1", RegistrationTests.Uid(line));
        Assert.Single(agent.Agent.Inventory("").Pods);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_refused_registration_of_its_name_leaves_a_Pod_that_is_awaited_back_alone()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", Port(app))], identity: Next);
        await agent.Routed.Reader.ReadAsync(stop);

        using var http = new HttpClient { BaseAddress = agent.Url };
        using var malformed = await http.PutAsync("/v1/namespaces/default/pods/web", new StringContent("""{"address":"127.96.0.1"}"""), stop);
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
        agent.IsDiskFull = true;
        using var full = await http.PutAsync("/v1/namespaces/default/pods/web", new StringContent("{}"), stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, full.StatusCode);

        Assert.Equal("u1", Assert.Single(agent.Agent.Inventory("").Pods).Uid);
        agent.IsDiskFull = false;
        using var curl = Curl.Put(agent.Url, "web", "{}");
        Assert.NotEqual("u1", RegistrationTests.Uid(await curl.LineAsync(stop)));
        Assert.Equal("u1", (await agent.RoutedAsync(pod => !pod.IsAlive, stop)).Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task Of_two_registrations_of_one_name_the_later_one_counts()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        var (first, second) = (Record("u1", "web", Port(app)), Record("u2", "web", Port(app)));
        second.CreatedUnixSeconds++;
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [second, first], identity: Next);

        Assert.Equal("u2", Assert.Single(agent.Agent.Inventory("").Pods).Uid);
        Assert.Equal("u2", Assert.Single(agent.Journal).Key);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_whose_ports_are_closed_has_ended()
    {
        var stop = TestContext.Current.CancellationToken;
        var app = Listen();
        var port = Port(app);
        app.Dispose();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", port)], identity: Next);

        Assert.False((await agent.Routed.Reader.ReadAsync(stop)).IsAlive);
        Assert.True((await agent.Reports.Reader.ReadAsync(stop)).Ended);
        Assert.Empty(agent.Journal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Ports_that_say_nothing_on_a_busy_machine_are_no_end_and_the_stream_takes_the_Pod_up_again()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen(backlog: 0);
        var port = Port(app);
        // One waits to be accepted, which is all that waits: the kernel answers no further one.
        using var waiting = new TcpClient();
        await waiting.ConnectAsync(IPAddress.Loopback, port, stop);
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", port)], identity: Next);
        Assert.True((await agent.Routed.Reader.ReadAsync(stop)).IsAlive);
        Assert.False((await agent.RoutedAsync(told => !told.IsReady, stop)) is { IsAlive: false });

        using var curl = Curl.Put(agent.Url, "web", "{\"ports\":[{\"containerPort\":" + port + "}]}", "?uid=u1");

        Assert.Equal("u1", RegistrationTests.Uid(await curl.LineAsync(stop)));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "DP-D21")]
    public async Task However_many_Pods_say_nothing_traffic_waits_a_second_for_all_of_them()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        using var app = Listen(backlog: 0);
        using var waiting = new TcpClient();
        await waiting.ConnectAsync(IPAddress.Loopback, Port(app), stop);
        var journal = Enumerable.Range(0, 600).Select(number => Record($"u{number}", $"web-{number}", Port(app))).ToList();

        var starting = AgentUnderTest.StartAsync(stop, time, journal: journal, identity: Next);
        time.Advance(RestoredPods.LongestLook);

        await using var agent = await starting;
        Assert.Equal(600, agent.Agent.Inventory("").Pods.Count);
    }

    [Fact(Timeout = 30_000)]
    public async Task Another_boot_voids_every_registration()
    {
        var stop = TestContext.Current.CancellationToken;
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, journal: [Record("u1", "web", Port(app))], identity: new AgentIdentity(2, "other boot"));

        Assert.Empty(agent.Agent.Inventory("").Pods);
        Assert.Empty(agent.Journal);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stream_that_does_not_come_back_in_time_has_ended()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        using var app = Listen();
        await using var agent = await AgentUnderTest.StartAsync(stop, time, journal: [Record("u1", "web", Port(app))], identity: Next);
        Assert.True((await agent.Routed.Reader.ReadAsync(stop)).IsAlive);

        // StartAsync has begun the wait before it returned.
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("StreamLost", (await agent.ReportAsync(report => report.Ended, stop)).Reason);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_manifest_Pod_is_ready_while_its_ports_accept_and_only_its_readiness_is_told()
    {
        var stop = TestContext.Current.CancellationToken;
        var app = Listen();
        var port = Port(app);
        await using var agent = await AgentUnderTest.StartAsync(stop);

        await agent.Agent.ApplyAsync(Manifest("m1", 5, port));

        // On a busy machine a try may run out of its time, and the next one is told.
        var ready = await agent.ReportAsync(report => report.Uid == "m1" && report.Ready, stop);
        Assert.True(ready is { Registered: false, Document.IsEmpty: true });
        Assert.Equal("m1", Assert.Single(agent.Agent.Inventory("default").Pods).Uid);
        app.Dispose();
        agent.Agent.Suspect(new IPEndPoint(IPAddress.Loopback, port));
        await agent.ReportAsync(report => report.Uid == "m1" && !report.Ready, stop);

        await agent.Agent.ApplyAsync(new RoutingChange.PodRemoved(NamespacedName.Of("default", "manifest"), "m1"));
        Assert.Empty(agent.Agent.Inventory("").Pods);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_Pod_that_nobody_holds_is_reported_ended()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);

        await agent.Agent.ApplyAsync(Manifest("ghost", 5, 80, """ "annotations":{"mesh.internal/registered-by":"stream"},"""));

        var report = await agent.Reports.Reader.ReadAsync(stop);
        Assert.True(report is { Uid: "ghost", Ended: true, Registered: true });
    }

    private static TcpListener Listen(int backlog = 100)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog);
        return listener;
    }

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    internal static Registration Record(string uid, string name, int port) => new()
    {
        Namespace = "default",
        Name = name,
        Uid = uid,
        Version = 1,
        BootId = "boot",
        Address = Google.Protobuf.ByteString.CopyFrom(127, 0, 0, 1),
        Request = Google.Protobuf.ByteString.CopyFromUtf8("{\"ports\":[{\"containerPort\":" + port + "}]}"),
    };

    private static RoutingChange.PodSpec Manifest(string uid, long version, int port, string metadata = "") => new(new ObjectDocument(
        NamespacedName.Of("default", "manifest"),
        uid,
        version,
        1,
        Encoding.UTF8.GetBytes($$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{ {{metadata}} "name":"manifest","namespace":"default","uid":"{{uid}}","resourceVersion":"{{version}}"},
             "spec":{"containers":[{"name":"c","ports":[{"containerPort":{{port}} } ] } ] } }
            """)));
}

using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Agent.Tests;

public sealed class RegistrationTests
{
    private static readonly HttpClient Http = new();

    [Fact(Timeout = 30_000)]
    public async Task A_registration_held_by_curl_is_a_Pod_until_curl_is_killed()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web-1", """{"labels":{"app":"web"},"ready":true}""");

        var line = await curl.LineAsync(stop);
        var pod = line.GetProperty("object");
        Assert.Equal("ADDED", line.GetProperty("type").GetString());
        Assert.Equal("web", pod.GetProperty("metadata").GetProperty("labels").GetProperty("app").GetString());
        Assert.Equal("127.0.0.1", pod.GetProperty("status").GetProperty("podIP").GetString());
        Assert.Equal("Running", pod.GetProperty("status").GetProperty("phase").GetString());
        var alive = await agent.RoutedAsync(told => told.IsReady, stop);
        Assert.Equal(alive.Uid, pod.GetProperty("metadata").GetProperty("uid").GetString());
        Assert.True(agent.Journal.ContainsKey(alive.Uid));

        curl.Kill();

        var dead = await agent.RoutedAsync(told => !told.IsAlive, stop);
        var report = await agent.ReportAsync(told => told.Ended, stop);
        Assert.Equal(alive.Uid, dead.Uid);
        Assert.Equal((alive.Uid, "StreamClosed"), (report.Uid, report.Reason));
        Assert.True(report.Liveness > alive.Liveness);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web-1"), stop)).StatusCode);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_over_the_unix_socket_is_one_too()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.PutBySocket(agent.Socket, "web-1", """{"ready":true}""");
        await curl.LineAsync(stop);

        curl.Kill();

        await agent.RoutedAsync(told => !told.IsAlive, stop);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_reported_document_is_a_Pod_that_the_rules_can_read()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web-1", """
            {"labels":{"app":"web"},"annotations":{"team":"a"},"ports":[{"name":"http","containerPort":8081}],
             "readinessProbe":{"httpGet":{"path":"/ready","port":"http"},"periodSeconds":3}}
            """);
        await curl.LineAsync(stop);

        var report = await agent.Reports.Reader.ReadAsync(stop);

        var pod = PodParser.Parse(report.Document.Memory, 1);
        Assert.Equal(NamespacedName.Of("default", "web-1"), pod.Name);
        Assert.Equal(report.Uid, pod.Uid);
        Assert.Equal("web", pod.Labels["app"]);
        Assert.Equal(IPAddress.Loopback, pod.PodIP);
        Assert.Equal("n1", pod.NodeName);
        Assert.True(pod.IsRegistered);
        Assert.Equal(8081, Assert.Single(pod.Ports).Number);
        Assert.Equal(TimeSpan.FromSeconds(3), pod.ReadinessProbe!.Period);
        Assert.True(report.Registered);
        Assert.Equal(1, report.RegistrationVersion);
    }

    [Fact(Timeout = 30_000)]
    public async Task Two_Pods_that_ask_for_addresses_get_different_ones_and_after_an_end_a_name_gets_another()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        const string Body = """{"address":"allocate","ports":[{"containerPort":8080}]}""";
        using var first = Curl.Put(agent.Url, "a", Body);
        using var second = Curl.Put(agent.Url, "b", Body);
        var addresses = new HashSet<string> { Address(await first.LineAsync(stop)), Address(await second.LineAsync(stop)) };
        first.Kill();
        await agent.RoutedAsync(told => !told.IsAlive, stop);
        using var third = Curl.Put(agent.Url, "a", Body);

        addresses.Add(Address(await third.LineAsync(stop)));

        Assert.Equal(3, addresses.Count);
        Assert.All(addresses, address => Assert.StartsWith("127.80.", address, StringComparison.Ordinal));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_living_name_is_a_conflict_and_its_uid_takes_the_stream_over()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var first = Curl.Put(agent.Url, "web", """{"ready":true}""");
        var uid = Uid(await first.LineAsync(stop));

        Assert.Equal(HttpStatusCode.Conflict, await PutStatusAsync(agent, "web", "{}", stop));
        Assert.Equal(HttpStatusCode.Conflict, await PutStatusAsync(agent, "web?uid=other", "{}", stop));
        using var second = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"v":"2"}}""", "?uid=" + uid);
        Assert.Equal(uid, Uid(await second.LineAsync(stop)));

        // The first stream ends and says nothing; the Pod lives on, with what the second asked for.
        string? line;
        while ((line = await first.TextAsync(stop)) is not null)
        {
            Assert.DoesNotContain("DELETED", line, StringComparison.Ordinal);
        }

        Assert.Equal(2, (await agent.ReportAsync(told => told.RegistrationVersion == 2, stop)).RegistrationVersion);
        second.Kill();
        Assert.Equal(uid, (await agent.RoutedAsync(told => !told.IsAlive, stop)).Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_patch_to_not_ready_is_answered_when_the_snapshot_has_it()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"a":"1","b":"2"}}""");
        await curl.LineAsync(stop);
        await agent.RoutedAsync(told => told.IsReady, stop);

        var answer = await Http.PatchAsync(
            new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent("""{"ready":false,"labels":{"a":null,"c":"3"}}"""), stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(agent.Routed.Reader.TryRead(out var told));
        Assert.False(told.IsReady);
        var labels = (await curl.LineAsync(stop)).GetProperty("object").GetProperty("metadata").GetProperty("labels");
        Assert.Equal("""{"b":"2","c":"3"}""", labels.GetRawText());
        Assert.Equal(2, (await agent.ReportAsync(report => report.RegistrationVersion == 2, stop)).RegistrationVersion);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_patch_that_removes_ready_leaves_it_to_the_ports_again()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var port = ((IPEndPoint)server.LocalEndpoint).Port;
        using var curl = Curl.Put(agent.Url, "web", $$"""{"ready":false,"ports":[{"containerPort":{{port}} } ] }""");
        await curl.LineAsync(stop);

        var answer = await Http.PatchAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent("""{"ready":null}"""), stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True((await agent.RoutedAsync(told => told.IsReady, stop)).IsAlive);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_deletion_asked_for_by_kubectl_drains_the_Pod_then_ends_its_stream()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true}""");
        var uid = Uid(await curl.LineAsync(stop));

        await agent.Agent.ApplyAsync(Stored(uid, "web", 7, """ "deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":30,"""));

        Assert.True((await agent.RoutedAsync(told => told.IsTerminating, stop)).IsAlive);
        var terminating = await agent.ReportAsync(told => told.Terminating, stop);
        Assert.False(terminating.Ready);
        Assert.Equal("MODIFIED", (await curl.LineAsync(stop)).GetProperty("type").GetString());
        await agent.Agent.OnReportAckAsync(terminating, new ReportAck { Number = terminating.Number }, stop);
        Assert.Equal("DELETED", (await curl.LineAsync(stop)).GetProperty("type").GetString());
        Assert.Null(await curl.TextAsync(stop));
        var ended = await agent.ReportAsync(told => told.Ended, stop);
        await agent.Agent.OnReportAckAsync(ended, new ReportAck { Number = ended.Number }, stop);
        Assert.Equal([uid], agent.Forgotten);
    }

    [Fact(Timeout = 30_000)]
    public async Task Labels_changed_by_kubectl_show_in_the_stream()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true,"labels":{"app":"web"}}""");
        var uid = Uid(await curl.LineAsync(stop));

        await agent.Agent.ApplyAsync(Stored(uid, "web", 7, """ "labels":{"app":"canary"},"""));

        var line = await curl.LineAsync(stop);
        Assert.Equal("MODIFIED", line.GetProperty("type").GetString());
        Assert.Equal("canary", line.GetProperty("object").GetProperty("metadata").GetProperty("labels").GetProperty("app").GetString());
    }

    [Fact(Timeout = 30_000)]
    public async Task A_conflict_found_by_the_silo_ends_the_stream_with_a_Status()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true}""");
        await curl.LineAsync(stop);
        var report = await agent.Reports.Reader.ReadAsync(stop);

        await agent.Agent.OnReportAckAsync(report, new ReportAck { Result = ReportAck.Types.Result.Conflict, Message = "web lives on n2" }, stop);

        var line = await curl.LineAsync(stop);
        Assert.Equal("ERROR", line.GetProperty("type").GetString());
        Assert.Equal("web lives on n2", line.GetProperty("object").GetProperty("message").GetString());
        Assert.Equal(409, line.GetProperty("object").GetProperty("code").GetInt32());
        Assert.Null(await curl.TextAsync(stop));
        await agent.RoutedAsync(told => !told.IsAlive, stop);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_namespace_that_was_not_told_is_missing_once_any_was_told()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using (var pending = Curl.Put(agent.Url, "early", "{}"))
        {
            Assert.Equal("ADDED", (await pending.LineAsync(stop)).GetProperty("type").GetString());
        }

        await agent.Agent.ApplyAsync(new RoutingChange.NamespaceExists("shop", true));

        var answer = await Http.PutAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent("{}"), stop);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("Namespace default does not exist", await answer.Content.ReadAsStringAsync(stop), StringComparison.Ordinal);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("nonsense", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"lables":{}}""", "lables")]
    [InlineData("""{"labels":{"a b":"c"}}""", "labels: 'a b'")]
    [InlineData("""{"labels":{"a":"b c"}}""", "labels: 'b c'")]
    [InlineData("""{"labels":{"a":null}}""", "labels: the value of 'a'")]
    [InlineData("""{"annotations":{"mesh.internal/pod-ip":"1.2.3.4"}}""", "mesh.internal/pod-ip")]
    [InlineData("""{"ports":[{"containerPort":0}]}""", "ports[0].containerPort")]
    [InlineData("""{"ports":[{"containerPort":70000}]}""", "ports[0].containerPort")]
    [InlineData("""{"ports":[{"containerPort":1.5}]}""", "ports[0].containerPort")]
    [InlineData("""{"ports":[{"containerPort":8081,"name":"UPPER"}]}""", "ports[0].name")]
    [InlineData("""{"ports":[{"containerPort":8081,"protocol":"QUIC"}]}""", "ports[0].protocol")]
    [InlineData("""{"ports":[{"containerPort":6443}]}""", "one of Mesh's own ports")]
    [InlineData("""{"ports":[{"containerPort":8080}]}""", "one of Mesh's own ports")]
    [InlineData("""{"address":"127.96.0.1"}""", "Service CIDR")]
    [InlineData("""{"address":"203.0.113.9"}""", "not an address of this machine")]
    [InlineData("""{"address":"0x7f.1"}""", "address")]
    [InlineData("""{"ready":"yes"}""", "ready")]
    [InlineData("""{"readinessProbe":{}}""", "readinessProbe")]
    [InlineData("""{"readinessProbe":{"exec":{}}}""", "not in this version")]
    [InlineData("""{"readinessProbe":{"tcpSocket":{"port":"http"}}}""", "no port named 'http'")]
    [InlineData("""{"readinessProbe":{"tcpSocket":{"port":80,"host":"10.0.0.1"}}}""", "host")]
    [InlineData("""{"readinessProbe":{"tcpSocket":{"port":80},"periodSeconds":-1}}""", "periodSeconds")]
    public async Task A_malformed_registration_is_answered_with_a_sentence_that_names_the_field_and_changes_nothing(string body, string sentence)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);

        var answer = await Http.PutAsync(new Uri(agent.Url, "/v1/namespaces/default/pods/web"), new StringContent(body), stop);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(sentence, (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(agent.Journal);
        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.Empty(agent.Agent.Inventory("").Pods);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_too_large_too_many_or_not_in_this_version_is_refused()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PutStatusAsync(agent, "web", "{\"labels\":{\"a\":\"" + new string('x', 70_000) + "\"}}", stop));
        Assert.Equal(HttpStatusCode.BadRequest, await PutStatusAsync(agent, "web?ttl=10", "{}", stop));
        Assert.Equal(HttpStatusCode.BadRequest, await PutStatusAsync(agent, "Web", "{}", stop));
        agent.HasRoom = false;
        Assert.Equal(HttpStatusCode.TooManyRequests, await PutStatusAsync(agent, "web", "{}", stop));
        agent.HasRoom = true;
        agent.IsDiskFull = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PutStatusAsync(agent, "web", "{}", stop));
        Assert.Empty(agent.Agent.Inventory("").Pods);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("Host: evil.test", HttpStatusCode.Forbidden)]
    [InlineData("Host: evil.test:6480", HttpStatusCode.Forbidden)]
    [InlineData("Host: 127.0.0.1\r\nOrigin: http://evil.test", HttpStatusCode.Forbidden)]
    [InlineData("Host: 127.0.0.1\r\nOrigin: null", HttpStatusCode.Forbidden)]
    [InlineData("Host: localhost:6480", HttpStatusCode.OK)]
    [InlineData("Host: [::1]:6480", HttpStatusCode.OK)]
    [InlineData("Host: localhost\r\nOrigin: http://localhost", HttpStatusCode.OK)]
    [Trait("Row", "REL-S19")]
    [Trait("Row", "REL-S20")]
    public async Task A_web_page_that_means_another_host_is_refused(string headers, HttpStatusCode expected)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, agent.Url.Port, stop);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /v1/namespaces/default/pods HTTP/1.1\r\n{headers}\r\n\r\n"), stop);

        using var reader = new StreamReader(client.GetStream());
        Assert.StartsWith($"HTTP/1.1 {(int)expected} ", await reader.ReadLineAsync(stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task Another_users_process_is_refused_unless_its_uid_may_register()
    {
        var stop = TestContext.Current.CancellationToken;
        Capability.Require("starting a process as another user", Capability.SetUid, Capability.SetGid);
        await using var agent = await AgentUnderTest.StartAsync(stop);
        var list = $"{agent.Url}v1/namespaces/default/pods";

        Assert.Equal("403", await CurlAsUserAsync("65534", list, stop));
        agent.Agent.Configure(AgentUnderTest.Options with { RegisterUids = [65534] });
        Assert.Equal("200", await CurlAsUserAsync("65534", list, stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task Health_is_answered_in_plain_HTTP()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var agent = await AgentUnderTest.StartAsync(stop);

        foreach (var path in new[] { "/livez", "/readyz", "/healthz" })
        {
            Assert.Equal(HttpStatusCode.OK, (await Http.GetAsync(new Uri(agent.Url, path), stop)).StatusCode);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_node_that_stops_ends_no_Pod()
    {
        var stop = TestContext.Current.CancellationToken;
        var agent = await AgentUnderTest.StartAsync(stop);
        using var curl = Curl.Put(agent.Url, "web", """{"ready":true}""");
        await curl.LineAsync(stop);
        await agent.RoutedAsync(told => told.IsReady, stop);

        await agent.DisposeAsync();

        Assert.Null(await curl.TextAsync(stop));
        Assert.False(agent.Routed.Reader.TryRead(out _));
        Assert.Single(agent.Journal);
    }

    internal static string Uid(JsonElement line) => line.GetProperty("object").GetProperty("metadata").GetProperty("uid").GetString()!;

    private static string Address(JsonElement line) => line.GetProperty("object").GetProperty("status").GetProperty("podIP").GetString()!;

    internal static RoutingChange.PodSpec Stored(string uid, string name, long version, string metadata) => new(new ObjectDocument(
        NamespacedName.Of("default", name),
        uid,
        version,
        1,
        Encoding.UTF8.GetBytes($$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{ {{metadata}} "name":"{{name}}","namespace":"default","uid":"{{uid}}","resourceVersion":"{{version}}"} }
            """)));

    private static async Task<HttpStatusCode> PutStatusAsync(AgentUnderTest agent, string nameAndQuery, string body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(agent.Url, "/v1/namespaces/default/pods/" + nameAndQuery)) { Content = new StringContent(body) };
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        return answer.StatusCode;
    }

    private static async Task<string> CurlAsUserAsync(string uid, string url, CancellationToken stop)
    {
        using var curl = Process.Start(new ProcessStartInfo("setpriv")
        {
            ArgumentList = { "--reuid", uid, "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url },
            RedirectStandardOutput = true,
        })!;
        Caretaker.Mind(curl);
        var code = await curl.StandardOutput.ReadToEndAsync(stop);
        await curl.WaitForExitAsync(stop);
        return code;
    }
}

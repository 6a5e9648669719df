using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Every change of a Service's type, in every way a client can ask for it.</summary>
public sealed class ServiceTypeTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Path = "/api/v1/namespaces/default/services";

    private static readonly Dictionary<string, string> Specs = new()
    {
        ["ClusterIP"] = """{"type":"ClusterIP","selector":{"a":"b"},"ports":[{"name":"p","port":80}]}""",
        ["NodePort"] = """{"type":"NodePort","selector":{"a":"b"},"ports":[{"name":"p","port":80}]}""",
        ["LoadBalancer"] = """{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{"name":"p","port":80}]}""",
        ["ExternalName"] = """{"type":"ExternalName","externalName":"a.example.com","selector":{"a":"b"},"ports":[{"name":"p","port":80}]}""",
    };

    public static TheoryData<string, string> Changes()
    {
        var all = new TheoryData<string, string>();
        foreach (var from in Specs.Keys)
        {
            foreach (var to in Specs.Keys)
            {
                all.Add(from, to);
            }
        }

        return all;
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-T1")]
    [Trait("Row", "SVC-T3")]
    [MemberData(nameof(Changes))]
    public async Task What_was_not_touched_and_cannot_be_goes_with_a_patch_and_an_update(string from, string to)
    {
        foreach (var way in new[] { "merge", "strategic", "json", "replace" })
        {
            var name = $"{from}-{to}-{way}".ToLowerInvariant();
            var before = await CreateAsync(name, Specs[from]);

            var answer = await ChangeAsync(name, way, from, to, before);

            Assert.True(answer.Code == 200, $"{way}: {answer.Message}");
            await AssertIsAsIfCreatedAsync(name, from, to, before, answer.Body!["spec"]!);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task What_was_not_touched_and_cannot_be_goes_with_kubectl_apply()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        foreach (var (from, to) in Specs.Keys.SelectMany(from => Specs.Keys.Select(to => (from, to))))
        {
            var name = $"{from}-{to}-apply".ToLowerInvariant();
            await kubectl.RunAsync("apply -f -", Manifest(name, Specs[from]));
            var before = await host.Http.SendAsync("GET", $"{Path}/{name}");

            await kubectl.RunAsync("apply -f -", Manifest(name, Specs[to]));

            var after = await host.Http.SendAsync("GET", $"{Path}/{name}");
            await AssertIsAsIfCreatedAsync(name, from, to, before.Body!["spec"]!, after.Body!["spec"]!);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("ClusterIP", """{"clusterIP":""}""")]
    [InlineData("ClusterIP", """{"clusterIP":null}""")]
    [InlineData("ClusterIP", """{"clusterIPs":null}""")]
    [InlineData("ClusterIP", """{"clusterIPs":[]}""")]
    [InlineData("ClusterIP", """{"clusterIP":"","clusterIPs":null}""")]
    [InlineData("ClusterIP", """{"clusterIP":null,"type":"NodePort"}""")]
    [InlineData("LoadBalancer", """{"clusterIP":"","type":"ClusterIP"}""")]
    [InlineData("Headless", """{"clusterIP":""}""")]
    [InlineData("Headless", """{"clusterIP":null,"clusterIPs":null}""")]
    public async Task An_address_that_is_left_out_or_emptied_stays(string from, string patch)
    {
        var name = $"emptied-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):n}";
        var before = await CreateAsync(name, from == "Headless" ? """{"clusterIP":"None","selector":{"a":"b"}}""" : Specs[from]);

        var answer = await PatchAsync(name, patch);

        Assert.True(answer.Code == 200, answer.Message);
        Assert.Equal(before["clusterIP"]!.ToJsonString(), answer.Body!["spec"]!["clusterIP"]!.ToJsonString());
        Assert.Equal(before["clusterIPs"]!.ToJsonString(), answer.Body["spec"]!["clusterIPs"]!.ToJsonString());
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-P10")]
    [InlineData("NodePort", """{"type":"ClusterIP","externalTrafficPolicy":"Local"}""", "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services")]
    [InlineData("NodePort", """{"type":"ClusterIP","ports":[{"name":"p","port":80,"nodePort":30090}]}""", "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'")]
    [InlineData("NodePort", """{"type":"ExternalName","externalName":"a.b","ports":[{"name":"p","port":80,"nodePort":30090}]}""", "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ExternalName'")]
    [InlineData("LoadBalancer", """{"type":"NodePort","allocateLoadBalancerNodePorts":false}""", "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'")]
    [InlineData("LoadBalancer", """{"type":"ClusterIP","loadBalancerClass":"a.example/b"}""", "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'")]
    [InlineData("LoadBalancer", """{"type":"ClusterIP","healthCheckNodePort":30100}""", "spec.healthCheckNodePort: Invalid value: 30100: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'")]
    [InlineData("ClusterIP", """{"type":"ExternalName","externalName":"a.b","clusterIP":"127.96.0.77"}""", "spec.clusterIP: Forbidden: may not be set for ExternalName services")]
    [InlineData("ClusterIP", """{"type":"ExternalName","externalName":"a.b","ipFamilyPolicy":"PreferDualStack"}""", "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services")]
    [InlineData("ClusterIP", """{"clusterIP":"127.96.0.77"}""", "spec.clusterIPs[0]: Invalid value: \"127.96.0.77\": may not change once set")]
    [InlineData("ClusterIP", """{"clusterIP":"None"}""", "spec.clusterIPs[0]: Invalid value: \"None\": may not change once set")]
    public async Task What_was_asked_for_and_cannot_be_is_still_422(string from, string patch, string cause)
    {
        var name = $"asked-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):n}";
        var before = await CreateAsync(name, Specs[from]);

        var answer = await PatchAsync(name, patch);

        Assert.Equal(422, answer.Code);
        Assert.Contains(cause, answer.Message, StringComparison.Ordinal);
        var after = await host.Http.SendAsync("GET", $"{Path}/{name}");
        Assert.Equal(before.ToJsonString(), after.Body!["spec"]!.ToJsonString());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_balancers_class_and_health_port_go_with_it()
    {
        await CreateAsync("balancer", """{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{"port":80}],"loadBalancerClass":"a.example/b","externalTrafficPolicy":"Local","healthCheckNodePort":30100}""");

        var nodePort = await PatchAsync("balancer", """{"type":"NodePort"}""");
        var clusterIP = await PatchAsync("balancer", """{"type":"ClusterIP"}""");

        Assert.Equal((200, 200), (nodePort.Code, clusterIP.Code));
        Assert.Equal("Local", nodePort.Body!["spec"]!["externalTrafficPolicy"]!.GetValue<string>());
        Assert.All(
            new[] { "loadBalancerClass", "healthCheckNodePort", "allocateLoadBalancerNodePorts" }, field => Assert.Null(nodePort.Body["spec"]![field]));
        Assert.Null(clusterIP.Body!["spec"]!["externalTrafficPolicy"]);
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-P3")]
    [Trait("Row", "SVC-P4")]
    [InlineData(30099, "provided port is already allocated to Service default/holder")]
    [InlineData(29999, "provided port is not in the valid range. The range of valid ports is 30000-32767")]
    public async Task A_node_port_that_cannot_be_had_is_422_by_its_field(int number, string why)
    {
        await host.Http.SendAsync("POST", Path, Manifest("holder", """{"type":"NodePort","selector":{"a":"b"},"ports":[{"port":80,"nodePort":30099}]}"""));

        var answer = await host.Http.SendAsync("POST", Path, Manifest("late", $$"""{"type":"NodePort","selector":{"a":"b"},"ports":[{"port":80,"nodePort":{{number}}}]}"""));

        Assert.Equal(422, answer.Code);
        Assert.Equal($"Service \"late\" is invalid: spec.ports[0].nodePort: Invalid value: {number}: {why}", answer.Message);
        Assert.Equal(
            $$"""[{"reason":"FieldValueInvalid","message":"Invalid value: {{number}}: {{why}}","field":"spec.ports[0].nodePort"}]""",
            answer.Body!["details"]!["causes"]!.ToJsonString());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-P8")]
    [Trait("Row", "SVC-T6")]
    [Trait("Row", "SVC-T7")]
    public async Task An_update_without_node_ports_leaves_each_name_its_number_wherever_it_stands_now()
    {
        var created = await CreateAsync("renumbered", """{"type":"NodePort","selector":{"a":"b"},"ports":[{"name":"a","port":80},{"name":"b","port":81},{"name":"c","port":82}]}""");
        var had = Numbers(created);

        var swapped = await host.Http.SendAsync("PUT", $"{Path}/renumbered", Manifest("renumbered", """{"type":"NodePort","selector":{"a":"b"},"ports":[{"name":"b","port":90},{"name":"a","port":91},{"name":"d","port":82}]}"""));

        Assert.True(swapped.Code == 200, swapped.Message);
        var has = Numbers(swapped.Body!["spec"]!);
        Assert.Equal((had["a"], had["b"]), (has["a"], has["b"]));
        Assert.NotEqual(0, has["d"]);
        Assert.Null(await host.Store.ReadAsync(Kinds.NodePort(had["c"]), TestContext.Current.CancellationToken) is { } kept && has["d"] != had["c"] ? kept : null);
        Assert.Null(swapped.Body["metadata"]!["generation"]);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L4")]
    [Trait("Row", "SVC-L11")]
    public async Task Node_ports_stay_when_no_more_are_wanted_until_they_are_left_out()
    {
        var spec = await CreateAsync("wanted", """{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{"name":"p","port":8004}]}""");
        var had = spec["ports"]![0]!["nodePort"]!.GetValue<int>();

        var kept = await PatchAsync("wanted", """{"allocateLoadBalancerNodePorts":false}""");
        var left = await PatchAsync("wanted", """{"ports":[{"name":"p","port":8004}]}""");
        var none = await PatchAsync("wanted", """{"type":"ClusterIP"}""");

        Assert.Equal(had, kept.Body!["spec"]!["ports"]![0]!["nodePort"]!.GetValue<int>());
        Assert.Null(left.Body!["spec"]!["ports"]![0]!["nodePort"]);
        Assert.Equal("""{"loadBalancer":{"ingress":[{"ip":"127.0.0.1","ipMode":"VIP"}]}}""", left.Body["status"]!.ToJsonString());
        Assert.Equal("""{"loadBalancer":{}}""", none.Body!["status"]!.ToJsonString());
    }

    [Fact(Timeout = 60_000)]
    public async Task More_ports_than_a_commit_can_allocate_are_422()
    {
        static string Ports(int count) => string.Join(',', Enumerable.Range(1, count).Select(number => $$"""{"name":"p{{number}}","port":{{20_000 + number}}}"""));

        var most = await host.Http.SendAsync("POST", Path, Manifest("most", $$"""{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{{Ports(200)}}]}"""));
        var more = await host.Http.SendAsync("POST", Path, Manifest("more", $$"""{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{{Ports(201)}}]}"""));

        Assert.Equal((201, 422), (most.Code, more.Code));
        Assert.Contains("spec.ports: Too many: 201: must have at most 200 items", more.Message, StringComparison.Ordinal);
        Assert.Equal(200, (await host.Http.SendAsync("DELETE", $"{Path}/most")).Code);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_policy_that_came_with_external_addresses_goes_with_them()
    {
        await CreateAsync("external", """{"selector":{"a":"b"},"ports":[{"port":80}],"externalIPs":["10.1.1.1"]}""");

        var answer = await PatchAsync("external", """{"externalIPs":null}""");

        Assert.True(answer.Code == 200, answer.Message);
        Assert.Null(answer.Body!["spec"]!["externalTrafficPolicy"]);
    }

    /// <summary>What comes out is what a new Service of the type would be, with the address and node ports that were there.</summary>
    private async Task AssertIsAsIfCreatedAsync(string name, string from, string to, JsonNode before, JsonNode after)
    {
        var fresh = await host.Http.SendAsync("POST", $"{Path}?dryRun=All", $$"""{"metadata":{"name":"fresh"},"spec":{{Specs[to]}} }""");
        var expected = fresh.Body!["spec"]!.DeepClone();
        var address = after["clusterIP"]?.GetValue<string>();
        if (to != "ExternalName")
        {
            Assert.Equal(from == "ExternalName" ? address : before["clusterIP"]!.GetValue<string>(), address);
            expected["clusterIP"] = address;
            expected["clusterIPs"] = new JsonArray(address);
        }

        await AssertNodePortAsync(name, from, to, before, after, expected);
        Assert.True(JsonNode.DeepEquals(expected, after), $"{name}: {after.ToJsonString()} is not {expected.ToJsonString()}");
        var allocations = new[] { before["clusterIP"]?.GetValue<string>(), address }.OfType<string>().Distinct();
        foreach (var each in allocations)
        {
            var stored = await host.Store.ReadAsync(Kinds.IPAddress(each), TestContext.Current.CancellationToken);
            Assert.True(stored is not null == (each == address), $"{name}: {each} is {(stored is null ? "not " : "")}allocated");
        }
    }

    /// <summary>Kept between types that have one, allocated for one that has, and released with the commit for one that has none.</summary>
    private async Task AssertNodePortAsync(string name, string from, string to, JsonNode before, JsonNode after, JsonNode expected)
    {
        var (had, has) = (before["ports"]![0]!["nodePort"]?.GetValue<int>(), after["ports"]![0]!["nodePort"]?.GetValue<int>());
        Assert.Equal((IsExternal(from), IsExternal(to)), (had is not null, has is not null));
        if (IsExternal(from) && IsExternal(to))
        {
            Assert.Equal(had, has);
        }

        foreach (var number in new[] { had, has }.OfType<int>().Distinct())
        {
            var stored = await host.Store.ReadAsync(Kinds.NodePort(number), TestContext.Current.CancellationToken);
            Assert.True(stored is not null == (number == has), $"{name}: {number} is {(stored is null ? "not " : "")}allocated");
        }

        if (has is { } kept)
        {
            expected["ports"]![0]!["nodePort"] = kept;
        }
    }

    private static Dictionary<string, int> Numbers(JsonNode spec) =>
        spec["ports"]!.AsArray().ToDictionary(port => port!["name"]!.GetValue<string>(), port => port!["nodePort"]!.GetValue<int>());

    private static bool IsExternal(string type) => type is "NodePort" or "LoadBalancer";

    private Task<Answer> ChangeAsync(string name, string way, string from, string to, JsonNode before)
    {
        var toName = to == "ExternalName";
        return way switch
        {
            "merge" => PatchAsync(name, toName ? """{"type":"ExternalName","externalName":"a.example.com"}""" : $$"""{"type":"{{to}}","externalName":null}"""),
            "strategic" => host.Http.SendAsync(
                "PATCH",
                $"{Path}/{name}",
                toName ? """{"spec":{"type":"ExternalName","externalName":"a.example.com"}}""" : $$"""{"spec":{"type":"{{to}}","externalName":null} }""",
                "application/strategic-merge-patch+json"),
            "json" => host.Http.SendAsync("PATCH", $"{Path}/{name}", JsonPatch(from, to), "application/json-patch+json"),
            _ => host.Http.SendAsync("PUT", $"{Path}/{name}", $$"""{"metadata":{"name":"{{name}}"},"spec":{{Specs[to]}} }"""),
        };
    }

    private static string JsonPatch(string from, string to)
    {
        var steps = new List<string> { $$"""{"op":"replace","path":"/spec/type","value":"{{to}}"}""" };
        if (to == "ExternalName")
        {
            steps.Add("""{"op":"add","path":"/spec/externalName","value":"a.example.com"}""");
        }
        else if (from == "ExternalName")
        {
            steps.Add("""{"op":"remove","path":"/spec/externalName"}""");
        }

        return $"[{string.Join(',', steps)}]";
    }

    private static string Manifest(string name, string spec) => $$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}"},"spec":{{spec}} }""";

    private async Task<JsonNode> CreateAsync(string name, string spec)
    {
        var answer = await host.Http.SendAsync("POST", Path, Manifest(name, spec));
        Assert.True(answer.Code == 201, answer.Message);
        return answer.Body!["spec"]!;
    }

    private Task<Answer> PatchAsync(string name, string spec) =>
        host.Http.SendAsync("PATCH", $"{Path}/{name}", $$"""{"spec":{{spec}} }""", "application/merge-patch+json");
}

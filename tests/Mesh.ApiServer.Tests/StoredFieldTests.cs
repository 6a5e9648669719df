using System.Text.Json.Nodes;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What is stored and not served yet, through the API and the grains that write it.</summary>
public sealed class StoredFieldTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

    private const string Pods = "/api/v1/namespaces/default/pods";

    private const string Services = "/api/v1/namespaces/default/services";

    [Theory(Timeout = 60_000)]
    [InlineData(Services, "udp", """{"ports":[{"port":53,"protocol":"UDP"}],"selector":{"a":"b"}}""", "spec.ports[0].protocol: UDP")]
    [InlineData(Services, "affinity", """{"ports":[{"port":80}],"selector":{"a":"b"},"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}}}""", "spec.sessionAffinity: ClientIP")]
    [InlineData(Services, "external-ips", """{"ports":[{"port":80}],"selector":{"a":"b"},"externalIPs":["10.1.1.1"]}""", "spec.externalIPs")]
    [InlineData(Services, "balancer-sources", """{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"a":"b"},"loadBalancerSourceRanges":["10.0.0.0/8"]}""", "spec.loadBalancerSourceRanges")]
    [InlineData(Services, "balancer-class", """{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"a":"b"},"loadBalancerClass":"example.com/lb"}""", "spec.loadBalancerClass")]
    [InlineData(Services, "balancer-health", """{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"a":"b"},"externalTrafficPolicy":"Local","healthCheckNodePort":30100}""", "spec.healthCheckNodePort")]
    [InlineData(Services, "external-policy", """{"type":"NodePort","ports":[{"port":80}],"selector":{"a":"b"},"externalTrafficPolicy":"Local"}""", "spec.externalTrafficPolicy: Local")]
    [InlineData(Services, "internal-policy", """{"ports":[{"port":80}],"selector":{"a":"b"},"internalTrafficPolicy":"Local"}""", "spec.internalTrafficPolicy: Local")]
    [InlineData(Services, "distribution", """{"ports":[{"port":80}],"selector":{"a":"b"},"trafficDistribution":"PreferClose"}""", "spec.trafficDistribution")]
    [InlineData(Services, "sctp", """{"ports":[{"name":"a","port":80},{"name":"b","port":81,"protocol":"SCTP"}],"selector":{"a":"b"}}""", "spec.ports[1].protocol: SCTP")]
    [InlineData(Services, "headless-no-selector", """{"clusterIP":"None","ports":[{"port":80}]}""", "spec.selector")]
    [InlineData(Services, "no-selector", """{"ports":[{"port":80}]}""", "spec.selector")]
    [InlineData(Ingresses, "class", """{"ingressClassName":"nginx","rules":[{"host":"a.example"}]}""", "spec.ingressClassName")]
    [InlineData(Ingresses, "resource", """{"defaultBackend":{"resource":{"apiGroup":"a.example","kind":"Bucket","name":"b"}}}""", "spec.defaultBackend.resource")]
    [InlineData(Pods, "container", """{"containers":[{"name":"a","image":"nginx","command":["a"],"livenessProbe":{"tcpSocket":{"port":80}}}]}""", "spec.containers[0].image, .command, .livenessProbe: stored, and not used")]
    [InlineData(Pods, "subdomain", """{"hostname":"a","subdomain":"b","containers":[{"name":"a"}]}""", "spec.subdomain")]
    [InlineData(Pods, "init", """{"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]}""", "spec.initContainers")]
    [InlineData(Pods, "second-probe", """{"containers":[{"name":"a"},{"name":"b","readinessProbe":{"tcpSocket":{"port":80}}}]}""", "spec.containers[1].readinessProbe")]
    [InlineData(Pods, "grpc-probe", """{"containers":[{"name":"a","readinessProbe":{"grpc":{"port":80}}}]}""", "spec.containers[0].readinessProbe.grpc")]
    public async Task It_survives_and_every_write_warns_of_it_by_its_field(string path, string name, string spec, string field)
    {
        var created = await host.Http.SendAsync("POST", path, $$"""{"metadata":{"name":"{{name}}"},"spec":{{spec}} }""");
        var read = await host.Http.SendAsync("GET", $"{path}/{name}");
        var patched = await host.Http.SendAsync("PATCH", $"{path}/{name}", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        patched.Body!["metadata"]!.AsObject().Remove("resourceVersion"); // its grain may write what it shows of it meanwhile
        var replaced = await host.Http.SendAsync("PUT", $"{path}/{name}", patched.Body.ToJsonString());

        Assert.Equal((201, 200, 200), (created.Code, patched.Code, replaced.Code));
        Assert.All(new[] { created, patched, replaced }, answer =>
            Assert.Contains(answer.Warnings, warning => warning.StartsWith($"299 - \"{field}", StringComparison.Ordinal)));
        Assert.All(new[] { created, read, patched, replaced }, answer => AssertHolds(answer.Body!["spec"]!, JsonNode.Parse(spec)!, "spec"));
    }

    /// <summary>What is served whole, by DNS alone or by every listener: nothing of it waits for a later version.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(Services, "plain", """{"ports":[{"port":80}],"selector":{"a":"b"}}""")]
    [InlineData(Services, "headless", """{"clusterIP":"None","ports":[{"name":"a","port":80},{"name":"b","port":53,"protocol":"UDP"}],"selector":{"a":"b"}}""")]
    [InlineData(Services, "headless-portless", """{"clusterIP":"None","selector":{"a":"b"}}""")]
    [InlineData(Services, "not-ready", """{"clusterIP":"None","publishNotReadyAddresses":true,"ports":[{"port":80}],"selector":{"a":"b"}}""")]
    [InlineData(Services, "node-port", """{"type":"NodePort","ports":[{"port":80,"nodePort":30080}],"selector":{"a":"b"}}""")]
    [InlineData(Services, "balancer", """{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"a":"b"},"loadBalancerIP":"10.0.0.9","loadBalancerClass":"mesh.internal/load-balancer"}""")]
    [InlineData(Services, "alias", """{"type":"ExternalName","externalName":"a.example.com"}""")]
    [InlineData(Ingresses, "plain", """{"rules":[{"host":"a.example"}]}""")]
    [InlineData(Ingresses, "tls", """{"tls":[{"hosts":["a.example"],"secretName":"s"}],"rules":[{"host":"a.example"}]}""")]
    [InlineData(Pods, "plain", """{"containers":[{"name":"a","ports":[{"containerPort":80}],"readinessProbe":{"tcpSocket":{"port":80}}}]}""")]
    public async Task What_is_served_is_warned_of_by_nobody(string path, string name, string spec)
    {
        var created = await host.Http.SendAsync("POST", path, $$"""{"metadata":{"name":"served-{{name}}"},"spec":{{spec}} }""");

        Assert.Equal(201, created.Code);
        Assert.Empty(created.Warnings);
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-B11")]
    [Trait("Row", "REL-A27")]
    [InlineData(Services, """{"ports":[{"port":80}]}""")]
    [InlineData(Ingresses, """{"rules":[{"host":"held.example"}]}""")]
    public async Task An_object_with_finalizers_is_marked_and_goes_with_the_last_of_them(string path, string spec)
    {
        await host.Http.SendAsync("POST", path, $$"""{"metadata":{"name":"held","finalizers":["example.com/a"]},"spec":{{spec}} }""");
        using var watch = await Watching.StartAsync(host, $"{path}?watch=true&fieldSelector=metadata.name%3Dheld");
        Assert.Equal(("ADDED", "held"), await watch.NextAsync());

        var deleted = await host.Http.SendAsync("DELETE", $"{path}/held");
        var again = await host.Http.SendAsync("DELETE", $"{path}/held");
        var more = await host.Http.SendAsync("PATCH", $"{path}/held", """{"metadata":{"finalizers":["example.com/b"]}}""", "application/merge-patch+json");
        var there = await host.Http.SendAsync("GET", $"{path}/held");
        var released = await host.Http.SendAsync("PATCH", $"{path}/held", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");

        Assert.Equal((200, 200, 422, 200, 200), (deleted.Code, again.Code, more.Code, there.Code, released.Code));
        Assert.NotNull(deleted.Body!["metadata"]!["deletionTimestamp"]);
        Assert.Equal(
            deleted.Body["metadata"]!["deletionTimestamp"]!.GetValue<string>(), there.Body!["metadata"]!["deletionTimestamp"]!.GetValue<string>());
        Assert.Equal(404, (await host.Http.SendAsync("GET", $"{path}/held")).Code);
        while (await watch.NextAsync() is not ("DELETED", "held"))
        {
            Assert.NotNull(watch.Last); // its marking, and what its grain shows of it
        }
    }

    private static void AssertHolds(JsonNode has, JsonNode wanted, string path)
    {
        switch (wanted)
        {
            case JsonObject members:
                Assert.All(members, member => AssertHolds(has[member.Key]!, member.Value!, $"{path}.{member.Key}"));
                break;
            case JsonArray items:
                Assert.Equal(items.Count, has.AsArray().Count);
                Assert.All(Enumerable.Range(0, items.Count), i => AssertHolds(has[i]!, items[i]!, $"{path}[{i}]"));
                break;
            default:
                Assert.True(JsonNode.DeepEquals(has, wanted), $"{path} was {wanted} and is {has}");
                break;
        }
    }
}

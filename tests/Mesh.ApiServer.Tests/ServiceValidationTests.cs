using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class ServiceValidationTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Theory(Timeout = 30_000)]
    [Trait("Row", "REL-A19")]
    [Trait("Row", "SVC-V2")]
    [Trait("Row", "SVC-V4")]
    [Trait("Row", "SVC-V5")]
    [Trait("Row", "SVC-V6")]
    [Trait("Row", "SVC-V7")]
    [Trait("Row", "SVC-V8")]
    [Trait("Row", "SVC-V9")]
    [Trait("Row", "SVC-V10")]
    [Trait("Row", "SVC-V11")]
    [Trait("Row", "SVC-V12")]
    [Trait("Row", "SVC-V13")]
    [Trait("Row", "SVC-V14")]
    [Trait("Row", "SVC-V15")]
    [Trait("Row", "SVC-V16")]
    [Trait("Row", "SVC-V17")]
    [Trait("Row", "SVC-V18")]
    [Trait("Row", "SVC-V19")]
    [Trait("Row", "SVC-V20")]
    [Trait("Row", "SVC-V21")]
    [Trait("Row", "SVC-V22")]
    [Trait("Row", "SVC-V23")]
    [Trait("Row", "SVC-V25")]
    [Trait("Row", "SVC-V26")]
    [Trait("Row", "SVC-V28")]
    [Trait("Row", "SVC-V29")]
    [Trait("Row", "SVC-V31")]
    [Trait("Row", "SVC-V32")]
    [Trait("Row", "SVC-V33")]
    [InlineData("{}", "FieldValueRequired spec.ports")]
    [InlineData("""{"ports":[{"port":80,"name":"a"},{"port":81}]}""", "FieldValueRequired spec.ports[1].name")]
    [InlineData("""{"ports":[{"port":80,"name":"Foo"}]}""", "FieldValueInvalid spec.ports[0].name")]
    [InlineData("""{"ports":[{"port":80,"name":"a"},{"port":81,"name":"a"}]}""", "FieldValueDuplicate spec.ports[1].name")]
    [InlineData("""{"ports":[{"port":80,"name":"a"},{"port":80,"name":"b"}]}""", "FieldValueDuplicate spec.ports[1]")]
    [InlineData("""{"type":"NodePort","ports":[{"port":80,"name":"a","nodePort":30000},{"port":81,"name":"b","nodePort":30000}]}""", "FieldValueDuplicate spec.ports[1].nodePort")]
    [InlineData("""{"ports":[{"port":0,"targetPort":1}]}""", "FieldValueInvalid spec.ports[0].port")]
    [InlineData("""{"ports":[{"port":65536,"targetPort":1}]}""", "FieldValueInvalid spec.ports[0].port")]
    [InlineData("""{"ports":[{"port":80,"protocol":"HTTP"}]}""", "FieldValueNotSupported spec.ports[0].protocol")]
    [InlineData("""{"ports":[{"port":80,"targetPort":"--"}]}""", "FieldValueInvalid spec.ports[0].targetPort")]
    [InlineData("""{"ports":[{"port":80,"appProtocol":"a b"}]}""", "FieldValueInvalid spec.ports[0].appProtocol")]
    [InlineData("""{"ports":[{"port":80}],"selector":{"a b":"c"}}""", "FieldValueInvalid spec.selector")]
    [InlineData("""{"ports":[{"port":80}],"sessionAffinity":"Foo"}""", "FieldValueNotSupported spec.sessionAffinity")]
    [InlineData("""{"ports":[{"port":80}],"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}}}""", "FieldValueInvalid spec.sessionAffinityConfig.clientIP.timeoutSeconds")]
    [InlineData("""{"type":"Foo","ports":[{"port":80}]}""", "FieldValueNotSupported spec.type")]
    [InlineData("""{"type":"NodePort","clusterIP":"None","ports":[{"port":80}]}""", "FieldValueInvalid spec.clusterIPs[0]")]
    [InlineData("""{"type":"ExternalName","externalName":"a.b","ipFamilyPolicy":"SingleStack"}""", "FieldValueForbidden spec.ipFamilyPolicy")]
    [InlineData("""{"type":"ExternalName"}""", "FieldValueRequired spec.externalName")]
    [InlineData("""{"type":"ExternalName","externalName":"foo_bar"}""", "FieldValueInvalid spec.externalName")]
    [InlineData("""{"ports":[{"port":80,"nodePort":30000}]}""", "FieldValueForbidden spec.ports[0].nodePort")]
    [InlineData("""{"ports":[{"port":80}],"externalTrafficPolicy":"Local"}""", "FieldValueInvalid spec.externalTrafficPolicy")]
    [InlineData("""{"ports":[{"port":80}],"healthCheckNodePort":30000}""", "FieldValueInvalid spec.healthCheckNodePort")]
    [InlineData("""{"ports":[{"port":80}],"loadBalancerSourceRanges":["10.0.0.0/8"]}""", "FieldValueForbidden spec.LoadBalancerSourceRanges")]
    [InlineData("""{"ports":[{"port":80}],"allocateLoadBalancerNodePorts":true}""", "FieldValueForbidden spec.allocateLoadBalancerNodePorts")]
    [InlineData("""{"ports":[{"port":80}],"internalTrafficPolicy":"Foo"}""", "FieldValueNotSupported spec.internalTrafficPolicy")]
    [InlineData("""{"ports":[{"port":80}],"trafficDistribution":"Foo"}""", "FieldValueNotSupported spec.trafficDistribution")]
    [InlineData("""{"ports":[{"port":80}],"clusterIP":"1.2.3"}""", "FieldValueInvalid spec.clusterIPs[0]")]
    [InlineData("""{"ports":[{"port":80}],"clusterIP":"127.96.0.9","clusterIPs":["127.96.0.8"]}""", "FieldValueInvalid spec.clusterIPs")]
    [InlineData("""{"ports":[{"port":80}],"clusterIP":"127.96.0.9","clusterIPs":["127.96.0.9","127.96.0.8"]}""", "FieldValueInvalid spec.clusterIPs")]
    public async Task A_service_that_cannot_be_is_422_with_the_cause(string spec, string cause)
    {
        var answer = await host.Http.SendAsync("POST", "/api/v1/namespaces/default/services", $$"""{"metadata":{"name":"bad"},"spec":{{spec}} }""");

        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Contains(cause, answer.Causes);
        Assert.Equal("Service", answer.Body!["details"]!["kind"]!.GetValue<string>());
        Assert.Equal(404, (await host.Http.SendAsync("GET", "/api/v1/namespaces/default/services/bad")).Code);
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-V3")]
    [InlineData("""{"clusterIP":"None","selector":{"a":"b"}}""")]
    [InlineData("""{"ports":[{"port":80,"name":"a"},{"port":80,"name":"b","protocol":"UDP"}],"selector":{"a":"b"}}""")]
    [InlineData("""{"type":"ExternalName","externalName":"a.b."}""")]
    [InlineData("""{"ports":[{"port":80}],"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86400}}}""")]
    public async Task An_unusual_service_is_accepted(string spec)
    {
        var answer = await host.Http.SendAsync("POST", "/api/v1/namespaces/default/services?dryRun=All", $$"""{"metadata":{"name":"good"},"spec":{{spec}} }""");

        Assert.Equal(201, answer.Code);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-V9")]
    public async Task Several_causes_are_told_together()
    {
        var answer = await host.Http.SendAsync(
            "POST",
            "/api/v1/namespaces/default/services",
            """{"metadata":{"name":"bad"},"spec":{"ports":[{"port":0,"targetPort":1,"protocol":"HTTP"}]}}""");

        Assert.Equal(
            "Service \"bad\" is invalid: [spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, "
            + "spec.ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\"]",
            answer.Message);
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-D1")]
    [Trait("Row", "SVC-D2")]
    [Trait("Row", "SVC-D3")]
    [Trait("Row", "SVC-D4")]
    [Trait("Row", "SVC-D5")]
    [Trait("Row", "SVC-D6")]
    [Trait("Row", "SVC-D7")]
    [Trait("Row", "SVC-D8")]
    [Trait("Row", "SVC-D11")]
    [InlineData("""{"ports":[{"port":80}]}""", "type", "\"ClusterIP\"")]
    [InlineData("""{"ports":[{"port":80}]}""", "ports", """[{"port":80,"protocol":"TCP","targetPort":80}]""")]
    [InlineData("""{"ports":[{"port":80}],"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}""", "sessionAffinityConfig", null)]
    [InlineData("""{"ports":[{"port":80}],"sessionAffinity":"ClientIP"}""", "sessionAffinityConfig", """{"clientIP":{"timeoutSeconds":10800}}""")]
    [InlineData("""{"ports":[{"port":80}]}""", "internalTrafficPolicy", "\"Cluster\"")]
    [InlineData("""{"type":"ExternalName","externalName":"a.b","internalTrafficPolicy":"Local"}""", "internalTrafficPolicy", null)]
    [InlineData("""{"ports":[{"port":80}]}""", "externalTrafficPolicy", null)]
    [InlineData("""{"type":"LoadBalancer","ports":[{"port":80}]}""", "externalTrafficPolicy", "\"Cluster\"")]
    [InlineData("""{"type":"LoadBalancer","ports":[{"port":80}]}""", "allocateLoadBalancerNodePorts", "true")]
    [InlineData("""{"ports":[{"port":80}]}""", "ipFamilies", """["IPv4"]""")]
    public async Task What_is_left_out_is_filled_in(string spec, string field, string? expected)
    {
        var answer = await host.Http.SendAsync("POST", "/api/v1/namespaces/default/services?dryRun=All", $$"""{"metadata":{"name":"defaults"},"spec":{{spec}} }""");

        Assert.Equal(201, answer.Code);
        Assert.Equal(expected, answer.Body!["spec"]![field]?.ToJsonString());
    }

    [Theory(Timeout = 30_000)]
    [InlineData("""{"type":"LoadBalancer","ports":[{"port":80}],"selector":{"a":"b"},"loadBalancerClass":"example.com/lb"}""", "spec.loadBalancerClass: example.com/lb is another controller's")]
    [InlineData("""{"ports":[{"port":80,"protocol":"UDP"}],"selector":{"a":"b"}}""", "spec.ports[0].protocol: UDP is stored, and not served")]
    [InlineData("""{"ports":[{"port":80}],"selector":{"a":"b"},"sessionAffinity":"ClientIP"}""", "spec.sessionAffinity: ClientIP is stored, and not served")]
    [InlineData("""{"ports":[{"port":80}],"selector":{"a":"b"},"externalIPs":["10.1.1.1"]}""", "spec.externalIPs is stored, and not served")]
    [InlineData("""{"ports":[{"port":80}]}""", "spec.selector: a Service without selector has no endpoints")]
    public async Task What_is_stored_and_not_served_is_warned_of_naming_the_field(string spec, string sentence)
    {
        var answer = await host.Http.SendAsync("POST", "/api/v1/namespaces/default/services?dryRun=All", $$"""{"metadata":{"name":"warned"},"spec":{{spec}} }""");

        Assert.Equal(201, answer.Code);
        Assert.Contains(answer.Warnings, warning => warning.StartsWith($"299 - \"{sentence}", StringComparison.Ordinal));
    }
}

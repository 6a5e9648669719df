using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class IngressValidationTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";

    private const string Path = "spec.rules[0].http.paths[0]";

    [Theory(Timeout = 30_000)]
    [Trait("Row", "ING-V01")]
    [Trait("Row", "ING-V02")]
    [Trait("Row", "ING-V03")]
    [Trait("Row", "ING-V04")]
    [Trait("Row", "ING-V06")]
    [Trait("Row", "ING-V20")]
    [Trait("Row", "ING-V21")]
    [Trait("Row", "ING-V22")]
    [InlineData("{}", "FieldValueInvalid spec")]
    [InlineData("""{"rules":[{"host":"1.2.3.4"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"::1"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"foo.com:80"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"Foo.com"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"*"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"*.*.com"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"host":"*foo.com"}]}""", "FieldValueInvalid spec.rules[0].host")]
    [InlineData("""{"rules":[{"http":{"paths":[]}}]}""", "FieldValueRequired spec.rules[0].http.paths")]
    [InlineData("""{"rules":[{"host":"a.b"}],"tls":[{"hosts":["A"]}]}""", "FieldValueInvalid spec.tls[0].hosts[0]")]
    [InlineData("""{"rules":[{"host":"a.b"}],"tls":[{"secretName":"A B"}]}""", "FieldValueInvalid spec.tls[0].secretName")]
    [InlineData("""{"rules":[{"host":"a.b"}],"ingressClassName":"A B"}""", "FieldValueInvalid spec.ingressClassName")]
    public Task An_ingress_that_cannot_be_is_422_with_the_cause(string spec, string cause) => RefusedAsync(spec, cause);

    [Theory(Timeout = 30_000)]
    [Trait("Row", "ING-V07")]
    [Trait("Row", "ING-V08")]
    [Trait("Row", "ING-V09")]
    [Trait("Row", "ING-V10")]
    [Trait("Row", "ING-V11")]
    [Trait("Row", "ING-V12")]
    [InlineData("""{"path":"/"}""", "FieldValueRequired " + Path + ".pathType")]
    [InlineData("""{"path":"/","pathType":"Foo"}""", "FieldValueNotSupported " + Path + ".pathType")]
    [InlineData("""{"path":"foo","pathType":"Exact"}""", "FieldValueInvalid " + Path + ".path")]
    [InlineData("""{"pathType":"Prefix"}""", "FieldValueInvalid " + Path + ".path")]
    [InlineData("""{"path":"/a//b","pathType":"Prefix"}""", "FieldValueInvalid " + Path + ".path")]
    [InlineData("""{"path":"/a%2Fb","pathType":"Prefix"}""", "FieldValueInvalid " + Path + ".path")]
    [InlineData("""{"path":"/a/..","pathType":"Prefix"}""", "FieldValueInvalid " + Path + ".path")]
    [InlineData("""{"path":"a","pathType":"ImplementationSpecific"}""", "FieldValueInvalid " + Path + ".path")]
    public Task A_path_that_cannot_be_is_422_with_the_cause(string path, string cause) =>
        RefusedAsync(
            """{"rules":[{"http":{"paths":[PATH,"backend":{"service":{"name":"a","port":{"number":80}}}}]}}]}""".Replace("PATH", path[..^1], StringComparison.Ordinal),
            cause);

    [Theory(Timeout = 30_000)]
    [Trait("Row", "ING-V13")]
    [Trait("Row", "ING-V14")]
    [Trait("Row", "ING-V15")]
    [Trait("Row", "ING-V16")]
    [Trait("Row", "ING-V17")]
    [Trait("Row", "ING-V18")]
    [Trait("Row", "ING-V19")]
    [InlineData("""{"service":{"name":"a","port":{"number":80}},"resource":{"kind":"A","name":"b"}}""", "FieldValueInvalid spec.defaultBackend")]
    [InlineData("{}", "FieldValueInvalid spec.defaultBackend")]
    [InlineData("""{"service":{"port":{"number":80}}}""", "FieldValueRequired spec.defaultBackend.service.name")]
    [InlineData("""{"service":{"name":"1a","port":{"number":80}}}""", "FieldValueInvalid spec.defaultBackend.service.name")]
    [InlineData("""{"service":{"name":"a","port":{"number":80,"name":"http"}}}""", "FieldValueInvalid spec.defaultBackend.service")]
    [InlineData("""{"service":{"name":"a"}}""", "FieldValueRequired spec.defaultBackend.service")]
    [InlineData("""{"service":{"name":"a","port":{"number":65536}}}""", "FieldValueInvalid spec.defaultBackend.service.port.number")]
    [InlineData("""{"service":{"name":"a","port":{"name":"Http_x"}}}""", "FieldValueInvalid spec.defaultBackend.service.port.name")]
    [InlineData("""{"resource":{"name":"b"}}""", "FieldValueRequired spec.defaultBackend.resource.kind")]
    public Task A_backend_that_cannot_be_is_422_with_the_cause(string backend, string cause) =>
        RefusedAsync($$"""{"defaultBackend":{{backend}} }""", cause);

    [Theory(Timeout = 30_000)]
    [Trait("Row", "ING-V05")]
    [Trait("Row", "ING-V26")]
    [InlineData("""{"rules":[{"host":"*.foo.com"},{"host":""},{}]}""")]
    [InlineData("""{"rules":[{"host":"a.b"},{"host":"a.b"}]}""")]
    [InlineData("""{"rules":[{"http":{"paths":[{"pathType":"ImplementationSpecific","backend":{"service":{"name":"a","port":{"name":"http"}}}}]}}],"tls":[{}]}""")]
    public async Task An_unusual_ingress_is_accepted(string spec)
    {
        var answer = await host.Http.SendAsync("POST", $"{Ingresses}?dryRun=All", $$"""{"metadata":{"name":"good"},"spec":{{spec}} }""");

        Assert.Equal(201, answer.Code);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "ING-V23")]
    public async Task Class_and_annotation_must_agree_on_create()
    {
        var answer = await host.Http.SendAsync(
            "POST",
            Ingresses,
            """{"metadata":{"name":"a","annotations":{"kubernetes.io/ingress.class":"x"}},"spec":{"ingressClassName":"y","rules":[{"host":"a.b"}]}}""");

        Assert.Equal(["FieldValueInvalid annotations.kubernetes.io/ingress.class"], answer.Causes);
    }

    private async Task RefusedAsync(string spec, string cause)
    {
        var answer = await host.Http.SendAsync("POST", Ingresses, $$"""{"metadata":{"name":"bad"},"spec":{{spec}} }""");

        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Contains(cause, answer.Causes);
        Assert.Equal(404, (await host.Http.SendAsync("GET", $"{Ingresses}/bad")).Code);
    }
}

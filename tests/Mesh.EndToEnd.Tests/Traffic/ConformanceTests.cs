using System.Net;
using System.Security.Cryptography;
using Mesh.Testing;
using Mesh.Testing.Certificates;
using Xunit;

namespace Mesh.EndToEnd.Tests.Traffic;

/// <summary>
/// The 30 scenarios of kubernetes-sigs/ingress-controller-conformance (its five features), each with the objects that the
/// feature makes, against real processes.
/// </summary>
public sealed class ConformanceTests
{
    private static readonly string[] Pods = [.. Enumerable.Range(1, 10).Select(number => $"echo-service-{number}")];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task All_features_of_the_public_suite_for_Ingress_controllers_pass()
    {
        await using var cluster = await ConformanceCluster.StartAsync();
        await DefaultBackendAsync(cluster);
        await HostRulesAsync(cluster);
        await PathRulesAsync(cluster);

        await cluster.IngressAsync("test-ingress-class", """{"ingressClassName":"some-invalid-class-name","rules":[{"host":"ingress-class","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"echo-service","port":{"number":8080}}}}]}}]}""");
        await SomeService.ToldAsync(cluster.Api, "test-ingress-class", "OtherClass", TimeSpan.FromSeconds(60));
        Assert.Empty(await cluster.AddressesAsync("test-ingress-class", Stop));
    }

    private static async Task DefaultBackendAsync(ConformanceCluster cluster)
    {
        await cluster.ServiceAsync("echo-service", Pods);
        await cluster.IngressAsync("default-backend", """{"defaultBackend":{"service":{"name":"echo-service","port":{"number":8080}}}}""");
        await cluster.ExposedAsync("default-backend");
        await cluster.AnswersAsync("http://my-host");
        foreach (var (method, host, path) in new[] { ("GET", "my-host", ""), ("GET", "my-host", "sub-path"), ("POST", "some-host", ""), ("PUT", "127.0.0.1", "resource"), ("DELETE", "some-host", "resource"), ("PATCH", "my-host", "resource") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), $"http://{host}/{path}");
            request.Headers.TryAddWithoutValidation("User-Agent", "Go-http-client/1.1");
            using var answer = await cluster.Client.SendAsync(request, Stop);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains(await answer.Content.ReadAsStringAsync(Stop), Pods);
            Assert.Equal(new Version(1, 1), answer.Version);
            Assert.NotNull(answer.Content.Headers.ContentLength);
            Assert.NotNull(answer.Content.Headers.ContentType);
            Assert.NotNull(answer.Headers.Date);
            Assert.NotEmpty(answer.Headers.Server);
            Assert.Equal($"{method} /{path} HTTP/1.1 {host} Go-http-client/1.1", Assert.Single(answer.Headers.GetValues("x-seen")));
        }

        // Once the last of them is known, as the suite waits for it to be scaled.
        await Eventually.Is("100 requests served by", stop => ServedAsync(cluster, stop), string.Join(' ', Pods.Order()), TimeSpan.FromSeconds(60));
        await cluster.DeleteAsync("default-backend");
    }

    private static async Task<string> ServedAsync(ConformanceCluster cluster, CancellationToken stop)
    {
        var served = new SortedSet<string>();
        for (var request = 0; request < 100; request++)
        {
            served.Add(await cluster.Client.GetStringAsync(new Uri("http://load-balancing"), stop));
        }

        return string.Join(' ', served);
    }

    private static async Task HostRulesAsync(ConformanceCluster cluster)
    {
        await cluster.ServiceAsync("wildcard-foo-com", "wildcard-foo-com");
        await cluster.ServiceAsync("foo-bar-com", "foo-bar-com");
        var certificate = TestAuthority.SelfSigned(HashAlgorithmName.SHA256, "foo.bar.com");
        await cluster.SecretAsync(certificate.Secret("default", "conformance-tls"));
        await cluster.IngressAsync("host-rules", """
            {"tls":[{"hosts":["foo.bar.com"],"secretName":"conformance-tls"}],"rules":[
              {"host":"*.foo.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"wildcard-foo-com","port":{"number":8080}}}}]}},
              {"host":"foo.bar.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"foo-bar-com","port":{"name":"http"}}}}]}}]}
            """);
        await cluster.ExposedAsync("host-rules");
        cluster.Trusted = certificate.Thumbprint;
        await cluster.AnswersAsync("https://foo.bar.com");
        await cluster.AnswersAsync("http://bar.foo.com");

        foreach (var (url, service) in new (string, string?)[]
        {
            ("https://foo.bar.com", "foo-bar-com"), ("http://foo.bar.com", "foo-bar-com"), ("http://subdomain.bar.com", null),
            ("http://bar.foo.com", "wildcard-foo-com"), ("http://baz.bar.foo.com", null), ("http://foo.com", null),
        })
        {
            await AskAsync(cluster, url, service);
        }

        await cluster.DeleteAsync("host-rules");
    }

    private static async Task PathRulesAsync(ConformanceCluster cluster)
    {
        foreach (var service in new[] { "foo-exact", "foo-prefix", "aaa-slash-bbb-prefix", "aaa-prefix", "foo-slash-exact", "aaa-slash-bbb-slash-prefix" })
        {
            await cluster.ServiceAsync(service, service);
        }

        await cluster.IngressAsync("path-rules", $$"""
            {"rules":[
              {{Rule("exact-path-rules", ("/foo", "Exact", "foo-exact"))}},
              {{Rule("prefix-path-rules", ("/foo", "Prefix", "foo-prefix"), ("/aaa/bbb", "Prefix", "aaa-slash-bbb-prefix"), ("/aaa", "Prefix", "aaa-prefix"))}},
              {{Rule("mixed-path-rules", ("/foo", "Prefix", "foo-prefix"), ("/foo", "Exact", "foo-exact"))}},
              {{Rule("trailing-slash-path-rules", ("/aaa/bbb/", "Prefix", "aaa-slash-bbb-slash-prefix"), ("/foo/", "Exact", "foo-slash-exact"))}}]}
            """);
        await cluster.ExposedAsync("path-rules");
        await cluster.AnswersAsync("http://trailing-slash-path-rules/aaa/bbb"); // its Pods came last

        foreach (var (url, service) in new (string, string?)[]
        {
            ("exact-path-rules/foo", "foo-exact"), ("exact-path-rules/foo/", null), ("exact-path-rules/FOO", null), ("exact-path-rules/bar", null),
            ("prefix-path-rules/foo", "foo-prefix"), ("prefix-path-rules/foo/", "foo-prefix"), ("prefix-path-rules/FOO", null),
            ("prefix-path-rules/aaa/bbb", "aaa-slash-bbb-prefix"), ("prefix-path-rules/aaa/bbb/ccc", "aaa-slash-bbb-prefix"),
            ("prefix-path-rules/aaa/ccc", "aaa-prefix"), ("prefix-path-rules/aaaccc", null), ("prefix-path-rules/foo/", "foo-prefix"),
            ("mixed-path-rules/foo", "foo-exact"),
            ("trailing-slash-path-rules/aaa/bbb", "aaa-slash-bbb-slash-prefix"), ("trailing-slash-path-rules/aaa/bbb/", "aaa-slash-bbb-slash-prefix"),
            ("trailing-slash-path-rules/foo", null),
        })
        {
            await AskAsync(cluster, $"http://{url}", service);
        }
    }

    /// <param name="service">Who answers; null for nobody (404).</param>
    private static async Task AskAsync(ConformanceCluster cluster, string url, string? service)
    {
        using var answer = await cluster.Client.GetAsync(new Uri(url), Stop);
        var body = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.StatusCode == (service is null ? HttpStatusCode.NotFound : HttpStatusCode.OK), $"{url}: {answer.StatusCode} {body}");
        if (service is not null)
        {
            Assert.Equal((url, service), (url, body));
            Assert.EndsWith($" HTTP/1.1 {new Uri(url).Host}", Assert.Single(answer.Headers.GetValues("x-seen")), StringComparison.Ordinal);
        }
    }

    private static string Rule(string host, params (string Path, string Type, string Service)[] paths) =>
        $$"""{"host":"{{host}}","http":{"paths":[{{string.Join(',', paths.Select(Path))}}]} }""";

    private static string Path((string Path, string Type, string Service) path) =>
        $$"""{"path":"{{path.Path}}","pathType":"{{path.Type}}","backend":{"service":{"name":"{{path.Service}}","port":{"number":8080} } } }""";
}

using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What scripts and people ask beside the objects: the root, health, components, proxies.</summary>
public sealed class HealthTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Theory(Timeout = 30_000)]
    [InlineData("/readyz?verbose", 200, "[+]ping ok\n[+]silo ok\nreadyz check passed\n")]
    [InlineData("/readyz?verbose&exclude=silo", 200, "[+]ping ok\n[+]silo excluded: ok\nreadyz check passed\n")]
    [InlineData("/readyz?verbose&exclude=etcd", 200, "[+]ping ok\n[+]silo ok\nwarn: some health checks cannot be excluded: no matches for \"etcd\"\nreadyz check passed\n")]
    [InlineData("/livez?verbose", 200, "[+]ping ok\nlivez check passed\n")]
    [InlineData("/healthz?verbose", 200, "[+]ping ok\nhealthz check passed\n")]
    [InlineData("/readyz", 200, "ok")]
    [InlineData("/readyz/ping", 200, "ok")]
    [InlineData("/livez/ping", 200, "ok")]
    [InlineData("/readyz/silo", 200, "ok")]
    [InlineData("/readyz/etcd", 404, "404 page not found\n")]
    public async Task Health_is_told_as_Kubernetes_tells_it_and_to_everybody(string path, int code, string text)
    {
        using var anybody = host.NewClient(token: null);

        var answer = await anybody.SendAsync("GET", path);

        Assert.Equal((code, text), (answer.Code, answer.Body!.GetValue<string>()));
    }

    [Theory(Timeout = 30_000)]
    [InlineData("/readyz", 503, "not ready: it sleeps")]
    [InlineData("/readyz/silo", 503, "not ready: it sleeps")]
    [InlineData("/readyz/ping", 200, "ok")]
    [InlineData("/readyz?verbose", 503, "[+]ping ok\n[-]silo failed: it sleeps\nreadyz check failed\n")]
    [InlineData("/readyz?exclude=silo", 200, "ok")]
    [InlineData("/livez", 200, "ok")]
    public async Task What_is_not_ready_says_why(string path, int code, string text)
    {
        host.NotReady = "it sleeps";
        try
        {
            var answer = await host.Http.SendAsync("GET", path);

            Assert.Equal((code, text), (answer.Code, answer.Body!.GetValue<string>()));
        }
        finally
        {
            host.NotReady = null;
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task The_root_lists_paths_that_can_all_be_read()
    {
        var root = await host.Http.SendAsync("GET", "/");

        var paths = root.Body!["paths"]!.AsArray().Select(path => path!.GetValue<string>()).ToList();
        Assert.Contains("/apis/networking.k8s.io/v1", paths);
        Assert.Equal(paths.Order(StringComparer.Ordinal), paths);
        foreach (var path in paths)
        {
            Assert.True((await host.Http.SendAsync("GET", path)).Code == 200, path);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Components_are_the_agents_of_the_nodes_and_deprecated()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        var answer = await kubectl.TryAsync("get componentstatuses");

        Assert.Contains("Warning: v1 ComponentStatus is deprecated in v1.19+", answer.Error, StringComparison.Ordinal);
        Assert.Matches($"NAME +STATUS +MESSAGE +ERROR\n{GrainHost.Node} +Healthy", answer.Output);
        var one = await host.Http.SendAsync("GET", $"/api/v1/componentstatuses/{GrainHost.Node}");
        Assert.Equal(("Healthy", "True"), (one.Body!["conditions"]![0]!["type"]!.GetValue<string>(), one.Body["conditions"]![0]!["status"]!.GetValue<string>()));
        Assert.Null(one.Body["metadata"]!["namespace"]);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("services/web:80/proxy/index.html", "proxying to a Service is not in this version")]
    [InlineData("services/http:web:80/proxy", "proxying to a Service is not in this version")]
    [InlineData("pods/web-1/proxy/", "proxying to a Pod is not in this version")]
    public async Task A_proxy_is_501_with_a_sentence(string path, string sentence)
    {
        var answer = await host.Http.SendAsync("GET", $"/api/v1/namespaces/default/{path}");

        Assert.Equal((501, "NotImplemented"), (answer.Code, answer.Reason));
        Assert.StartsWith(sentence, answer.Message, StringComparison.Ordinal);
    }
}

using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What kubectl asks beside objects: who it is, what it may do, which version and kinds there are.</summary>
public sealed class KubectlAuthTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string Reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    [Fact(Timeout = 60_000)]
    public async Task The_administrator_learns_who_it_is_and_that_it_may_do_everything()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        Assert.Equal("yes\n", await kubectl.RunAsync("auth can-i list pods"));
        Assert.Equal("yes\n", await kubectl.RunAsync("auth can-i delete services -n default"));
        Assert.Equal("yes\n", await kubectl.RunAsync("auth can-i get /livez"));
        Assert.Matches(@"\*\.\*\s+\[\]\s+\[\]\s+\[\*\]", await kubectl.RunAsync("auth can-i --list"));
        Assert.Matches(@"Username\s+admin\n", await kubectl.RunAsync("auth whoami"));
        Assert.Equal("admin", await kubectl.RunAsync("auth whoami -o jsonpath={.status.userInfo.username}"));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("get pods --as bob")]
    [InlineData("get pods --as bob --as-group dev")]
    [InlineData("get services -w --as bob --as-uid 7")]
    [InlineData("get --raw /api --as bob")]
    [InlineData("auth can-i list pods --as bob")]
    [InlineData("auth can-i --list --as bob")]
    [InlineData("create namespace of-bob --as bob")]
    [InlineData("delete namespace default --as bob")]
    public async Task Nobody_is_answered_as_another_user(string arguments)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        var answer = await kubectl.TryAsync(arguments);

        Assert.NotEqual(0, answer.Code);
        Assert.Equal("", answer.Output);
        Assert.True(answer.Error.Contains("impersonation is not in this version", StringComparison.Ordinal), answer.Error);
    }

    [Fact(Timeout = 60_000)]
    public async Task Nobody_is_told_to_be_another_user()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        var answer = await kubectl.TryAsync("auth whoami --as bob");

        Assert.NotEqual(0, answer.Code);
        Assert.Equal("", answer.Output);
        Assert.Contains("you do not have permission to call it", answer.Error, StringComparison.Ordinal); // kubectl's own words for a 403
    }

    [Fact(Timeout = 60_000)]
    public async Task Kinds_versions_and_the_server_are_told()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        Assert.Equal(
            [
                "componentstatuses", "configmaps", "endpoints", "endpointslices.discovery.k8s.io", "events", "ingressclasses.networking.k8s.io",
                "ingresses.networking.k8s.io", "leases.coordination.k8s.io", "namespaces", "nodes", "pods", "secrets", "serviceaccounts", "services",
            ],
            Sorted(await kubectl.RunAsync("api-resources --verbs=list -o name")));
        Assert.Equal(
            [
                "configmaps", "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io", "leases.coordination.k8s.io",
                "namespaces", "pods", "secrets", "serviceaccounts", "services",
            ],
            Sorted(await kubectl.RunAsync("api-resources --verbs=create,delete -o name")));
        Assert.Equal(
            ["authentication.k8s.io/v1", "authorization.k8s.io/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1", "networking.k8s.io/v1", "v1"],
            Sorted(await kubectl.RunAsync("api-versions")));
        var version = await kubectl.TryAsync("version");
        Assert.Matches(@"Server Version: v1\.32\.0\+mesh-0\.1\.0\n", version.Output);
        Assert.Equal("", version.Error);
        Assert.Contains($"control plane is running at", await kubectl.RunAsync("cluster-info"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Fields_are_explained()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        foreach (var kind in new[] { "namespace", "pod", "service", "ingress", "node", "endpointslice", "endpoints", "event" })
        {
            Assert.Matches(@"metadata\s+<ObjectMeta>", await kubectl.RunAsync($"explain {kind}"));
        }

        Assert.Matches(@"FIELD: ports <\[\]ServicePort>", await kubectl.RunAsync("explain service.spec.ports"));
        Assert.Matches(@"ports\s+<\[\]EndpointPort>", await kubectl.RunAsync("explain endpointslice"));
        Assert.Matches(@"pathType\s+<string>", await kubectl.RunAsync("explain ingress --recursive"));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_question_is_answered_and_not_kept()
    {
        var allowed = await host.Http.SendAsync("POST", Reviews, """{"spec":{"resourceAttributes":{"verb":"list","resource":"pods"}}}""");
        var neither = await host.Http.SendAsync("POST", Reviews, """{"spec":{}}""");
        var listed = await host.Http.SendAsync("GET", Reviews);
        var replaced = await host.Http.SendAsync("PUT", $"{Reviews}/a", "{}");

        Assert.Equal((201, true), (allowed.Code, allowed.Body!["status"]!["allowed"]!.GetValue<bool>()));
        Assert.Equal((422, "Invalid"), (neither.Code, neither.Reason));
        Assert.Equal((405, 405), (listed.Code, replaced.Code));
        Assert.Equal("selfsubjectaccessreviews are answered when they are created, and not kept", listed.Message);
    }

    private static string[] Sorted(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
}

using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>
/// Three typical outputs of charts, applied whole: what is served is there afterwards, with the warnings that
/// docs/differences.md promises, and each other kind has a line of its own.
/// </summary>
public sealed class ChartTests(GrainHost host) : IClassFixture<GrainHost>
{
    [Theory(Timeout = 120_000)]
    [InlineData("web-application", """
        serviceaccount/shop created
        secret/shop created
        configmap/shop created
        service/shop created
        ingress.networking.k8s.io/shop created
        """, """
        resource mapping not found for name: "shop" namespace: "" from "FILE": no matches for kind "Deployment" in version "apps/v1"
        ensure CRDs are installed first
        resource mapping not found for name: "shop" namespace: "" from "FILE": no matches for kind "HorizontalPodAutoscaler" in version "autoscaling/v2"
        ensure CRDs are installed first
        """)]
    [InlineData("database", """
        secret/postgres created
        service/postgres-headless created
        service/postgres created
        """, """
        resource mapping not found for name: "postgres" namespace: "" from "FILE": no matches for kind "PodDisruptionBudget" in version "policy/v1"
        ensure CRDs are installed first
        resource mapping not found for name: "postgres" namespace: "" from "FILE": no matches for kind "StatefulSet" in version "apps/v1"
        ensure CRDs are installed first
        """)]
    [InlineData("gateway", """
        serviceaccount/gateway created
        ingressclass.networking.k8s.io/gateway created
        service/gateway created
        """, """
        Warning: spec.externalTrafficPolicy: Local is stored, and not served in this version: endpoints of every node are used
        resource mapping not found for name: "gateway" namespace: "" from "FILE": no matches for kind "ClusterRole" in version "rbac.authorization.k8s.io/v1"
        ensure CRDs are installed first
        resource mapping not found for name: "gateway" namespace: "" from "FILE": no matches for kind "ClusterRoleBinding" in version "rbac.authorization.k8s.io/v1"
        ensure CRDs are installed first
        resource mapping not found for name: "gateway" namespace: "" from "FILE": no matches for kind "Deployment" in version "apps/v1"
        ensure CRDs are installed first
        """)]
    public async Task A_chart_is_applied_but_for_the_kinds_that_are_named(string chart, string output, string error)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        var ns = $"chart-{chart}";
        await kubectl.RunAsync($"create namespace {ns}");
        var file = Path.Combine(AppContext.BaseDirectory, "Charts", $"{chart}.yaml");

        var first = await kubectl.TryAsync($"apply -n {ns} -f {file}");
        var second = await kubectl.TryAsync($"apply -n {ns} -f {file}");

        Assert.Equal((1, output + "\n"), (first.Code, first.Output));
        Assert.Equal(error.Replace("FILE", file, StringComparison.Ordinal) + "\n", first.Error);
        // kubectl cannot see what became of stringData and of a null, and sends them again.
        var again = output.Replace(" created", " unchanged", StringComparison.Ordinal)
            .Replace("secret/shop unchanged", "secret/shop configured", StringComparison.Ordinal)
            .Replace("service/postgres unchanged", "service/postgres configured", StringComparison.Ordinal);
        Assert.Equal((1, again + "\n"), (second.Code, second.Output));
    }
}

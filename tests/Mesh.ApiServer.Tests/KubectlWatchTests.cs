using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>kubectl get -w of each kind: what is there, then each change as it comes.</summary>
public sealed class KubectlWatchTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Backend = "/spec/rules/0/http/paths/0/backend/service/name";

    [Fact(Timeout = 120_000)]
    public async Task Pods_change_and_leave()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "pods");

        Assert.Equal(
            ["ADDED web-1 1/1 Running 0 AGE", "MODIFIED web-1 1/1 Running 0 AGE", "DELETED web-1 1/1 Running 0 AGE"],
            await WatchAsync(kubectl, "pods -n pods -l app=web", "annotate pod web-1 -n pods note=x", "label pod web-1 -n pods app=other --overwrite"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Services_change_and_leave()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "services");

        Assert.Equal(
            [
                "ADDED web ClusterIP CLUSTER-IP <none> 80/TCP AGE", "MODIFIED web ClusterIP CLUSTER-IP <none> 81/TCP AGE",
                "DELETED web ClusterIP CLUSTER-IP <none> 81/TCP AGE",
            ],
            await WatchAsync(kubectl, "services -n services", JsonPatch("services", "svc", "/spec/ports/0/port", "81"), "delete svc web -n services"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Ingresses_change_and_leave()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "ingresses");

        Assert.Equal(
            [
                "ADDED web <none> ingresses.example 127.0.0.1 80 AGE", "MODIFIED web <none> other.example 127.0.0.1 80 AGE",
                "DELETED web <none> other.example 127.0.0.1 80 AGE",
            ],
            await WatchAsync(
                kubectl, "ingresses -n ingresses", JsonPatch("ingresses", "ingress", "/spec/rules/0/host", "\"other.example\""), "delete ingress web -n ingresses"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Endpoints_and_their_slices_follow_the_readiness_of_their_Pod()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "endpoints");
        var uid = await KubectlApplication.UidAsync(kubectl, "endpoints");

        var endpoints = await kubectl.WatchAsync("get endpoints -n endpoints -w --output-watch-events --no-headers", 2, line => line == 1
            ? host.ReportUnhealthyAsync("endpoints", "web-1", uid, 2, "refused")
            : Task.CompletedTask);
        await kubectl.RunAsync("wait -n endpoints endpointslices -l kubernetes.io/service-name=web --for=jsonpath={.endpoints[0].conditions.ready}=false --timeout=30s");
        var slices = await kubectl.WatchAsync(
            "get endpointslices -n endpoints -w --output-watch-events -o custom-columns=T:.type,N:.object.metadata.generateName,R:.object.endpoints[0].conditions.ready --no-headers",
            2,
            line => line == 1 ? host.ReportAsync("endpoints", "web-1", uid, isReady: true, count: 3) : Task.CompletedTask);

        Assert.Equal(["ADDED web 127.0.0.1:8080 AGE", "MODIFIED web <none> AGE"], KubectlApplication.Rows(string.Join('\n', endpoints)));
        Assert.Equal(["ADDED web- false", "MODIFIED web- true"], KubectlApplication.Rows(string.Join('\n', slices)));
    }

    [Fact(Timeout = 120_000)]
    public async Task Events_come_as_they_happen()
    {
        using var kubectl = await KubectlApplication.StartAsync(host, "events");
        await host.ReportUnhealthyAsync("events", "web-1", await KubectlApplication.UidAsync(kubectl, "events"), 2, "127.0.0.1:8080: Connection refused");

        Assert.Equal(
            [
                "ADDED AGE Warning Unhealthy pod/web-1 Readiness probe failed: 127.0.0.1:8080: Connection refused",
                "ADDED AGE Warning ServiceNotFound ingress/web Service events/nobody does not exist; its requests are answered 503",
            ],
            await WatchAsync(kubectl, "events -n events", JsonPatch("events", "ingress", Backend, "\"nobody\"")));
    }

    [Fact(Timeout = 120_000)]
    public async Task Nodes_change()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);

        var lines = await kubectl.WatchAsync("get nodes -o wide -w --output-watch-events --no-headers", 2, async line => await host.RelinkAsync($"6.{line + 1}"));

        Assert.Equal(
            [
                "ADDED machine-1 Ready <none> AGE v0.1.0 127.0.0.1 <none> Linux 6.1 mesh://0.1.0",
                "MODIFIED machine-1 Ready <none> AGE v0.1.0 127.0.0.1 <none> Linux 6.2 mesh://0.1.0",
            ],
            KubectlApplication.Rows(string.Join('\n', lines)));
    }

    [Fact(Timeout = 120_000)]
    public async Task Namespaces_end_and_leave()
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        using var kubectl = new Kubectl(host);
        await kubectl.RunAsync("create namespace short");

        Assert.Equal(
            ["ADDED short Active AGE", "MODIFIED short Terminating AGE", "DELETED short Terminating AGE"],
            await WatchAsync(kubectl, "namespaces --field-selector metadata.name=short", "delete ns short --wait=false", ""));
    }

    private static string JsonPatch(string ns, string kind, string path, string value) =>
        $"patch {kind} web -n {ns} --type=json -p '[{{\"op\":\"replace\",\"path\":\"{path}\",\"value\":{value}}}]'";

    /// <summary>After each line the next command is run, if there is one left; an empty one lets things take their course.</summary>
    private static async Task<string[]> WatchAsync(Kubectl kubectl, string what, params string[] commands)
    {
        var lines = await kubectl.WatchAsync(
            $"get {what} -w --output-watch-events --no-headers", commands.Length + 1, line => line <= commands.Length && commands[line - 1].Length > 0 ? kubectl.RunAsync(commands[line - 1]) : Task.CompletedTask);
        return KubectlApplication.Rows(string.Join('\n', lines));
    }
}

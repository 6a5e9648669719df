using System.Text.RegularExpressions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>What kubectl shows of a running application: get -w, get -o wide, describe, edit and wait.</summary>
public sealed partial class KubectlViewTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Manifests = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: http}]
        ---
        apiVersion: v1
        kind: Pod
        metadata:
          name: web-1
          labels: {app: web}
          annotations: {mesh.internal/pod-ip: 127.0.0.1}
        spec:
          containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web}
        spec:
          rules:
          - host: web.example
            http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
        """;

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST5")]
    public async Task Tables_show_a_running_application()
    {
        using var kubectl = await RunningAsync("tables");

        Assert.Equal(
            ["NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES", "web-1 1/1 Running 0 AGE 127.0.0.1 machine-1 <none> <none>"],
            Rows(await kubectl.RunAsync("get pods -n tables -o wide")));
        Assert.Equal(
            ["NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR", "web ClusterIP CLUSTER-IP <none> 80/TCP AGE app=web"],
            Rows(await kubectl.RunAsync("get svc -n tables -o wide")));
        Assert.Equal(
            ["NAME CLASS HOSTS ADDRESS PORTS AGE", "web <none> web.example 127.0.0.1 80 AGE"],
            Rows(await kubectl.RunAsync("get ing -n tables -o wide")));
        Assert.Equal(["NAME ENDPOINTS AGE", "web 127.0.0.1:8080 AGE"], Rows(await kubectl.RunAsync("get ep -n tables")));
        var slices = Rows(await kubectl.RunAsync("get endpointslices -n tables -l kubernetes.io/service-name=web"));
        Assert.Equal("NAME ADDRESSTYPE PORTS ENDPOINTS AGE", slices[0]);
        Assert.Matches("^web-[a-z0-9]+ IPv4 8080 127.0.0.1 AGE$", slices[1]);
        Assert.Matches("^machine-1 Ready <none> AGE v0.1.0 127.0.0.1 <none> ", Rows(await kubectl.RunAsync("get nodes -o wide"))[1]);
        Assert.Equal(["pod/web-1", "service/web"], (await kubectl.RunAsync("get all -n tables -o name")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact(Timeout = 120_000)]
    public async Task Descriptions_show_endpoints_conditions_and_addresses()
    {
        using var kubectl = await RunningAsync("described");

        var service = await kubectl.RunAsync("describe svc web -n described");
        Assert.Matches(@"Type:\s+ClusterIP\n", service);
        Assert.Matches(@"IP Families:\s+IPv4\n", service);
        Assert.Matches(@"Port:\s+http\s+80/TCP\n", service);
        Assert.Matches(@"TargetPort:\s+http/TCP\n", service);
        Assert.Matches(@"Endpoints:\s+127\.0\.0\.1:8080\n", service);
        var pod = await kubectl.RunAsync("describe pod web-1 -n described");
        Assert.Matches(@"Status:\s+Running\n", pod);
        Assert.Matches(@"IP:\s+127\.0\.0\.1\n", pod);
        Assert.Matches(@"Conditions:\n\s+Type\s+Status\s*\n(.*\n)*\s+Ready\s+True\s*\n", pod);
        var ingress = await kubectl.RunAsync("describe ingress web -n described");
        Assert.Matches(@"Address:\s+127\.0\.0\.1\n", ingress);
        Assert.Matches(@"web\.example\s*\n\s+/\s+web:http \(127\.0\.0\.1:8080\)", ingress);
        var node = await kubectl.RunAsync("describe node machine-1");
        Assert.Matches(@"Ready\s+True\s+.*\n", node);
        Assert.Matches(@"Kubelet Version:\s+v0\.1\.0\n", node);
        Assert.Matches(@"InternalIP:\s+127\.0\.0\.1\n", node);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_watch_prints_each_change_of_a_pod()
    {
        using var kubectl = await RunningAsync("watched");

        var lines = await kubectl.WatchAsync("get pods -n watched -w --output-watch-events --no-headers -l app=web", 3, line => line switch
        {
            1 => kubectl.RunAsync("annotate pod web-1 -n watched note=x"),
            2 => kubectl.RunAsync("label pod web-1 -n watched app=other --overwrite"),
            _ => Task.CompletedTask,
        });

        Assert.Equal(
            ["ADDED web-1 1/1 Running 0 AGE", "MODIFIED web-1 1/1 Running 0 AGE", "DELETED web-1 1/1 Running 0 AGE"], Rows(string.Join('\n', lines)));
    }

    [Fact(Timeout = 120_000)]
    public async Task An_object_is_edited_and_waited_for()
    {
        using var kubectl = await RunningAsync("edited");

        Assert.Equal("service/web edited\n", await kubectl.EditAsync("svc web -n edited", "sed -i s/port:.80/port:\\ 81/"));
        Assert.Equal("81", await kubectl.RunAsync("get svc web -n edited -o jsonpath={.spec.ports[0].port}"));
        Assert.Contains("timed out", (await kubectl.TryAsync("wait -n edited svc/web --for=jsonpath={.spec.ports[0].port}=82 --timeout=1s")).Error, StringComparison.Ordinal);
        await kubectl.RunAsync("patch svc web -n edited -p '{\"spec\":{\"ports\":[{\"$patch\":\"replace\"},{\"port\":82}]}}'");
        Assert.Equal("service/web condition met\n", await kubectl.RunAsync("wait -n edited svc/web --for=jsonpath={.spec.ports[0].port}=82 --timeout=30s"));
        await kubectl.RunAsync("delete pod web-1 -n edited --wait=false");
        Assert.Equal("", await kubectl.RunAsync("wait -n edited pod/gone --for=delete --timeout=30s"));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST6")]
    public async Task Events_tell_what_is_wrong_and_with_what()
    {
        using var kubectl = await RunningAsync("events");
        using var told = await Watching.StartAsync(host, "/api/v1/namespaces/events/events?watch=true&fieldSelector=involvedObject.kind%3DIngress");

        await kubectl.RunAsync("patch ingress web -n events --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/rules/0/http/paths/0/backend/service/name\",\"value\":\"nobody\"}]'");
        while ((await told.NextAsync()).Name is not null && !told.Last!["message"]!.GetValue<string>().Contains("nobody", StringComparison.Ordinal))
        {
            Assert.Equal("web", told.Last!["involvedObject"]!["name"]!.GetValue<string>()); // before its Service was there
        }

        var rows = Rows(await kubectl.RunAsync("get events -n events -o wide --field-selector involvedObject.kind=Ingress"));
        Assert.Equal("LAST SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME", rows[0]);
        Assert.Contains(rows, row => Regex.IsMatch(row, @"Warning \w+ ingress/web mesh .*nobody.* web\.[0-9a-f]+$"));
        Assert.Matches(@"Warning\s+\w+\s+\d+s.*mesh\s+.*nobody", await kubectl.RunAsync("describe ingress web -n events"));
    }

    private async Task<Kubectl> RunningAsync(string ns)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        var kubectl = new Kubectl(host);
        await kubectl.RunAsync($"create namespace {ns}");
        await kubectl.RunAsync($"apply -n {ns} -f -", Manifests);
        await host.ReportAsync(ns, "web-1", await kubectl.RunAsync($"get pod web-1 -n {ns} -o jsonpath={{.metadata.uid}}"), isReady: true);
        await kubectl.RunAsync($"wait -n {ns} pod/web-1 --for=condition=Ready --timeout=30s");
        await kubectl.RunAsync($"wait -n {ns} endpoints/web --for=jsonpath={{.subsets[0].addresses[0].ip}}=127.0.0.1 --timeout=30s");
        await kubectl.RunAsync($"wait -n {ns} ingress/web --for=jsonpath={{.status.loadBalancer.ingress[0].ip}}=127.0.0.1 --timeout=30s");
        return kubectl;
    }

    // Columns are as wide as their content: spaces are one. Ages and allocated addresses are masked.
    private static string[] Rows(string table) =>
    [
        .. table.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => Spaces().Replace(ClusterIPs().Replace(Ages().Replace(line, " AGE"), "CLUSTER-IP"), " ").Trim()),
    ];

    [GeneratedRegex(@" (\d+[smh])+(?= |$)")]
    private static partial Regex Ages();

    [GeneratedRegex(@"127\.96\.\d+\.\d+")]
    private static partial Regex ClusterIPs();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}

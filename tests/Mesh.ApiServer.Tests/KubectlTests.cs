using System.Text.RegularExpressions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Real kubectl against the API and its grains, without any flag that makes it lenient.</summary>
public sealed partial class KubectlTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          selector:
            app: web
          ports:
          - name: http
            port: 80
            targetPort: http
        """;

    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web-1
          labels:
            app: web
          annotations:
            mesh.internal/pod-ip: 127.0.0.1
        spec:
          containers:
          - name: web
            ports:
            - name: http
              containerPort: 8080
        """;

    // Word for word what the demo applies.
    private const string Ingress = """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata:
          name: my-app-ingress
        spec:
          rules:
          - host: "myapp.example.com"
            http:
              paths:
              - path: /api
                pathType: Prefix
                backend:
                  service:
                    name: my-api-service # Send /api requests to this Service
                    port:
                      number: 8080
              - path: /
                pathType: Prefix
                backend:
                  service:
                    name: my-frontend-service # Send all other requests to this Service
                    port:
                      number: 80
        """;

    [Fact(Timeout = 120_000)]
    [Trait("Row", "SVC-G2")]
    [Trait("Row", "SVC-G3")]
    [Trait("Row", "SVC-G7")]
    public async Task A_service_lives_its_life_by_kubectl()
    {
        using var kubectl = await NewAsync();
        Assert.Equal("service/web created\n", await kubectl.RunAsync("apply -n life -f -", Service));
        Assert.Equal("service/web unchanged\n", await kubectl.RunAsync("apply -n life -f -", Service));
        var address = await kubectl.RunAsync("get svc web -n life -o jsonpath={.spec.clusterIP}");
        Assert.StartsWith("127.96.", address, StringComparison.Ordinal);
        Assert.Equal("service/web configured\n", await kubectl.RunAsync("apply -n life -f -", Service.Replace("port: 80", "port: 81", StringComparison.Ordinal)));
        Assert.Equal(
            Lines("NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   SELECTOR", "web    ClusterIP   IP   <none>        81/TCP    AGE   app=web"),
            Masked(await kubectl.RunAsync("get svc -n life -o wide"), address));

        Assert.Equal("service/web labeled\n", await kubectl.RunAsync("label svc web -n life tier=front"));
        Assert.Equal("service/web annotated\n", await kubectl.RunAsync("annotate svc web -n life note=x"));
        Assert.Equal("service/web patched\n", await kubectl.RunAsync("patch svc web -n life -p '{\"spec\":{\"publishNotReadyAddresses\":true}}'"));
        Assert.Equal("service/web patched\n", await kubectl.RunAsync("patch svc web -n life --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/publishNotReadyAddresses\"}]'"));
        Assert.Equal("service/web\n", await kubectl.RunAsync("get svc -n life -l tier=front -o name"));
        Assert.Equal(address, await kubectl.RunAsync("get svc web -n life -o jsonpath={.spec.clusterIP}"));
        Assert.Equal("81 app=web front", await kubectl.RunAsync("get svc web -n life -o 'jsonpath={.spec.ports[0].port} app={.spec.selector.app} {.metadata.labels.tier}'"));
        Assert.Contains("service \"web\" deleted", await kubectl.RunAsync("delete svc web -n life"), StringComparison.Ordinal);
        Assert.Equal("", await kubectl.RunAsync("get svc -n life -o name"));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "SVC-B13")]
    public async Task A_pod_is_applied_awaited_described_and_deleted()
    {
        using var kubectl = await NewAsync("pods");
        await kubectl.RunAsync("apply -n pods -f -", Service);
        Assert.Equal("pod/web-1 created\n", await kubectl.RunAsync("apply -n pods -f -", Pod));
        var uid = await kubectl.RunAsync("get pod web-1 -n pods -o jsonpath={.metadata.uid}");
        await host.ReportAsync("pods", "web-1", uid, isReady: true);
        Assert.Equal("pod/web-1 condition met\n", await kubectl.RunAsync("wait pod/web-1 -n pods --for=condition=Ready --timeout=30s"));

        Assert.Equal(
            Lines(
                "NAME    READY   STATUS    RESTARTS   AGE   IP          NODE        NOMINATED NODE   READINESS GATES",
                "web-1   1/1     Running   0          AGE   127.0.0.1   machine-1   <none>           <none>"),
            Masked(await kubectl.RunAsync("get pods -n pods -o wide"), "nothing"));
        Assert.Equal("pod/web-1 labeled\n", await kubectl.RunAsync("label pod web-1 -n pods x=y"));
        await kubectl.RunAsync("wait -n pods endpoints/web --for=jsonpath={.subsets[0].addresses[0].ip}=127.0.0.1 --timeout=30s");
        Assert.Matches(@"Endpoints:\s+127\.0\.0\.1:8080\n", await kubectl.RunAsync("describe svc web -n pods"));
        var described = await kubectl.RunAsync("describe pod web-1 -n pods");
        Assert.Matches(@"Ready\s+True", described);
        Assert.Matches(@"Node:\s+machine-1/127\.0\.0\.1\n", described);
        Assert.Contains("pod \"web-1\" deleted", await kubectl.RunAsync("delete pod web-1 -n pods"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "ING-ST5")]
    [Trait("Row", "ING-ST6")]
    public async Task An_ingress_shows_its_address_and_what_is_wrong_with_it()
    {
        using var kubectl = await NewAsync("web");
        Assert.Equal("ingress.networking.k8s.io/my-app-ingress created\n", await kubectl.RunAsync("apply -n web -f -", Ingress));
        await kubectl.RunAsync("wait -n web ingress/my-app-ingress --for=jsonpath={.status.loadBalancer.ingress[0].ip}=127.0.0.1 --timeout=30s");

        Assert.Equal(
            Lines(
                "NAME             CLASS    HOSTS               ADDRESS     PORTS   AGE",
                "my-app-ingress   <none>   myapp.example.com   127.0.0.1   80      AGE"),
            Masked(await kubectl.RunAsync("get ingress -n web"), "nothing"));
        using var events = await Watching.StartAsync(host, "/api/v1/namespaces/web/events?watch=true");
        await events.NextAsync();
        var described = await kubectl.RunAsync("describe ingress my-app-ingress -n web");
        Assert.Contains("my-api-service:8080 (<error: services \"my-api-service\" not found>)", described, StringComparison.Ordinal);
        Assert.Matches(@"Events:\n\s+Type\s+Reason\s+Age\s+From\s+Message\n[- ]+\n\s+Warning\s+\S+\s+\d+s.*mesh", described);
        Assert.Contains("ingress/my-app-ingress", await kubectl.RunAsync("get events -n web"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_pod_that_its_node_registered_takes_labels_from_kubectl()
    {
        using var kubectl = await NewAsync("registered");
        await host.RegisterAsync("registered", "app-1");

        Assert.Equal("pod/app-1 labeled\n", await kubectl.RunAsync("label pod app-1 -n registered x=y"));
        Assert.Equal("pod/app-1\n", await kubectl.RunAsync("get pods -n registered -l x=y,app=app -o name"));
        Assert.Equal("pod/app-1 unlabeled\n", await kubectl.RunAsync("label pod app-1 -n registered x-"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_shows_its_version_and_readiness()
    {
        using var kubectl = await NewAsync("nodes");
        await kubectl.RunAsync("wait node/machine-1 --for=condition=Ready --timeout=30s");

        Assert.Matches(@"machine-1\s+Ready\s+<none>\s+\S+\s+v0\.1\.0\n", await kubectl.RunAsync("get nodes"));
        Assert.Matches(@"Lease:\n\s+HolderIdentity:\s+machine-1\n\s+AcquireTime:\s+\w{3}, .*\n\s+RenewTime:\s+\w{3}, .*\n", await kubectl.RunAsync("describe node machine-1"));
        Assert.Matches(@"NAME\s+HOLDER\s+AGE\nmachine-1\s+machine-1\s+\d+s\n$", await kubectl.RunAsync("get leases -n kube-node-lease"));
        Assert.Equal("machine-1", await kubectl.RunAsync("get lease machine-1 -n kube-node-lease -o jsonpath={.spec.holderIdentity}"));
        Assert.Contains("NotFound", (await kubectl.TryAsync("get lease machine-1 -n nodes")).Error, StringComparison.Ordinal);
        Assert.Contains("neither written nor watched", (await kubectl.TryAsync("delete lease machine-1 -n kube-node-lease")).Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Kubectls_own_objects_come_as_protobuf_and_are_read()
    {
        using var kubectl = await NewAsync("proto");
        Assert.Equal("service/shop created\n", await kubectl.RunAsync("create service clusterip shop --tcp=http:8080 -n proto".Replace("http:", "80:", StringComparison.Ordinal)));
        Assert.Equal("ingress.networking.k8s.io/front created\n", await kubectl.RunAsync("create ingress front -n proto --class=x --rule=a.example/b*=shop:80"));

        Assert.Equal("80/TCP 8080 shop", await kubectl.RunAsync("get svc shop -n proto -o 'jsonpath={.spec.ports[0].port}/{.spec.ports[0].protocol} {.spec.ports[0].targetPort} {.spec.selector.app}'"));
        Assert.Equal(
            "x a.example /b Prefix shop 80",
            await kubectl.RunAsync("get ing front -n proto -o 'jsonpath={.spec.ingressClassName} {.spec.rules[0].host} {.spec.rules[0].http.paths[0].path} {.spec.rules[0].http.paths[0].pathType} {.spec.rules[0].http.paths[0].backend.service.name} {.spec.rules[0].http.paths[0].backend.service.port.number}'"));
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "SVC-B15")]
    public async Task A_namespace_is_emptied_and_gone_when_kubectl_returns()
    {
        using var kubectl = await NewAsync("doomed");
        await kubectl.RunAsync("apply -n doomed -f -", Service);

        Assert.Contains("namespace \"doomed\" deleted", await kubectl.RunAsync("delete ns doomed --timeout=60s"), StringComparison.Ordinal);
        Assert.Contains("NotFound", (await kubectl.TryAsync("get ns doomed")).Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_cannot_be_done_says_why()
    {
        using var kubectl = await NewAsync("refused");
        await kubectl.RunAsync("apply -n refused -f -", Pod);

        Assert.Contains("commands cannot be run in it", (await kubectl.TryAsync("exec web-1 -n refused -- ls")).Error, StringComparison.Ordinal);
        Assert.Contains("its output is not here", (await kubectl.TryAsync("logs web-1 -n refused")).Error, StringComparison.Ordinal);
        Assert.Contains("server-side apply is not in this version", (await kubectl.TryAsync("apply --server-side -n refused -f -", Pod)).Error, StringComparison.Ordinal);
        var unknown = await kubectl.TryAsync("apply -n refused -f -", Service.Replace("selector:", "selektor:", StringComparison.Ordinal));
        Assert.Contains("strict decoding error: unknown field \"spec.selektor\"", unknown.Error, StringComparison.Ordinal);
        var warned = await kubectl.TryAsync("apply -n refused -f -", Service.Replace("spec:", "spec:\n  sessionAffinity: ClientIP", StringComparison.Ordinal));
        Assert.Contains("Warning: spec.sessionAffinity: ClientIP is stored, and not served in this version", warned.Error, StringComparison.Ordinal);
    }

    private async Task<Kubectl> NewAsync(string ns = "life")
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        var kubectl = new Kubectl(host);
        Assert.Equal($"namespace/{ns} created\n", await kubectl.RunAsync($"create namespace {ns}"));
        return kubectl;
    }

    private static string Lines(params string[] lines) => string.Concat(lines.Select(line => Spaces().Replace(line, " ") + "\n"));

    // Column widths follow the content of all rows: spaces are one, ages and allocated addresses are masked.
    private static string Masked(string table, string address) =>
        Spaces().Replace(Ages().Replace(table, " AGE").Replace(address, "IP", StringComparison.Ordinal), " ");

    [GeneratedRegex(@" \d+s(?= |\n)")]
    private static partial Regex Ages();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}

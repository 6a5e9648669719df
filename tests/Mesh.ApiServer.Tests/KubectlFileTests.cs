using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Files as people have them: with kinds that are not served among those that are, and lists of what was read.</summary>
public sealed class KubectlFileTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: {name: web, labels: {part: all}}
        spec:
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: http}]
        """;

    private const string Deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx}]}}
        """;

    private const string Ingress = """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web, labels: {part: all}}
        spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
        """;

    private const string Mixed = Service + "\n---\n" + Deployment + "\n---\n" + Ingress + "\n";

    private const string NoDeployment = "no matches for kind \"Deployment\" in version \"apps/v1\"";

    [Theory(Timeout = 120_000)]
    [InlineData("apply", "", "created")]
    [InlineData("apply", " --validate=warn", "created")]
    [InlineData("apply", " --validate=strict", "created")]
    [InlineData("apply", " --dry-run=client", "created (dry run)")]
    [InlineData("apply", " --dry-run=server", "created (server dry run)")]
    [InlineData("create", "", "created")]
    [InlineData("create", " --dry-run=client", "created (dry run)")]
    public async Task The_kinds_that_are_served_are_written_and_each_other_one_is_named(string verb, string options, string result)
    {
        var ns = $"mixed-{verb}{options.Replace("=", "-", StringComparison.Ordinal).Replace(" --", "-", StringComparison.Ordinal)}";
        using var kubectl = await NewAsync(ns);

        var answer = await kubectl.TryAsync($"{verb} -n {ns}{options} -f -", Mixed);

        Assert.Equal(1, answer.Code);
        Assert.Equal($"service/web {result}\ningress.networking.k8s.io/web {result}\n", answer.Output);
        Assert.Contains(NoDeployment, answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("error validating", answer.Error, StringComparison.Ordinal);
        var isDry = options.Contains("dry-run", StringComparison.Ordinal);
        Assert.Equal(
            isDry ? "" : "service/web\ningress.networking.k8s.io/web\n",
            await kubectl.RunAsync($"get svc,ing -n {ns} -o name"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Replace_diff_and_delete_of_such_a_file_name_the_kind_too()
    {
        using var kubectl = await NewAsync("mixed-others");
        await kubectl.TryAsync("apply -n mixed-others -f -", Mixed);
        var changed = Mixed.Replace("port: 80,", "port: 81,", StringComparison.Ordinal);
        Assert.Contains(NoDeployment, (await kubectl.TryAsync("diff -n mixed-others -f -", changed)).Error, StringComparison.Ordinal);
        var diff = await kubectl.TryAsync("diff -n mixed-others -f -", changed.Replace("\n---\n" + Deployment, "", StringComparison.Ordinal));
        Assert.Equal(1, diff.Code); // there is a difference
        Assert.Contains("+    port: 81\n", diff.Output, StringComparison.Ordinal);
        Assert.Equal("", await kubectl.RunAsync("diff -n mixed-others -f -", Service));

        var replaced = await kubectl.TryAsync("replace -n mixed-others -f -", Mixed);
        Assert.Equal((1, "service/web replaced\ningress.networking.k8s.io/web replaced\n"), (replaced.Code, replaced.Output));
        Assert.Contains(NoDeployment, replaced.Error, StringComparison.Ordinal);

        var deleted = await kubectl.TryAsync("delete -n mixed-others -f -", Mixed);
        Assert.Equal(1, deleted.Code);
        Assert.Contains(NoDeployment, deleted.Error, StringComparison.Ordinal);
        Assert.Equal("", await kubectl.RunAsync("get svc,ing -n mixed-others -o name"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("yaml")]
    [InlineData("json")]
    public async Task What_get_wrote_is_applied_created_and_replaced_again(string format)
    {
        var ns = $"backup-{format}";
        using var kubectl = await NewAsync(ns);
        await kubectl.TryAsync($"apply -n {ns} -f -", Mixed);

        var backup = WithoutVersions(await kubectl.RunAsync($"get svc,ing -n {ns} -o {format}"));
        Assert.Contains("List", backup, StringComparison.Ordinal);
        Assert.Equal("service/web replaced\ningress.networking.k8s.io/web replaced\n", await kubectl.RunAsync("replace -f -", backup));
        Assert.Equal("service/web unchanged\ningress.networking.k8s.io/web unchanged\n", await kubectl.RunAsync("apply -f -", backup));
        await kubectl.RunAsync($"delete svc,ing -n {ns} --all");
        Assert.Equal("service/web created\ningress.networking.k8s.io/web created\n", await kubectl.RunAsync("apply -f -", backup));
        await kubectl.RunAsync($"delete svc,ing -n {ns} --all");
        Assert.Equal("service/web created\ningress.networking.k8s.io/web created\n", await kubectl.RunAsync("create -f -", backup));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_typo_in_a_kind_that_is_served_is_still_refused_and_warned_of_when_asked()
    {
        using var kubectl = await NewAsync("typo");
        var typo = Mixed.Replace("selector: {app: web}\n  ports", "selektor: {app: web}\n  ports", StringComparison.Ordinal);
        Assert.NotEqual(Mixed, typo);

        var strict = await kubectl.TryAsync("apply -n typo --validate=strict -f -", typo);
        Assert.Equal((1, "ingress.networking.k8s.io/web created\n"), (strict.Code, strict.Output));
        Assert.Contains("unknown field \"spec.selektor\"", strict.Error, StringComparison.Ordinal);
        var warned = await kubectl.TryAsync("apply -n typo --validate=warn -f -", typo);
        Assert.Contains("Warning: unknown field \"spec.selektor\"", warned.Error, StringComparison.Ordinal);
        Assert.Equal("service/web created\ningress.networking.k8s.io/web unchanged\n", warned.Output);
        Assert.Contains(NoDeployment, warned.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Version_2_describes_the_kinds_with_their_fields_in_both_forms()
    {
        using var stranger = host.NewClient(null);
        Assert.Equal(401, (await stranger.SendAsync("GET", "/openapi/v2")).Code);
        Assert.Equal(406, (await host.Http.SendAsync("GET", "/openapi/v2", accept: "text/html")).Code);
        var answer = await host.Http.SendAsync("GET", "/openapi/v2");
        Assert.Equal(200, answer.Code);
        var definition = answer.Body!["definitions"]!["io.k8s.v1.Service"]!;
        Assert.Equal("Service", (string?)definition["x-kubernetes-group-version-kind"]![0]!["kind"]);
        Assert.Equal("#/definitions/io.k8s.v1.ServiceSpec", (string?)definition["properties"]!["spec"]!["$ref"]);

        foreach (var version in new[] { "@v1.0", ".v1.0" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v2");
            request.Headers.Accept.ParseAdd("application/json;q=0.5");
            request.Headers.TryAddWithoutValidation("Accept", $"application/com.github.proto-openapi.spec.v2{version}+protobuf");
            using var response = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", response.Content.Headers.ContentType!.MediaType);
            Assert.True((await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length > 10_000);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Prune_takes_what_the_file_does_not_name_of_the_kinds_that_it_is_told()
    {
        using var kubectl = await NewAsync("pruned");
        const string Served = "--prune -l part=all --prune-allowlist=core/v1/Service --prune-allowlist=networking.k8s.io/v1/Ingress";
        await kubectl.TryAsync("apply -n pruned -f -", Mixed);

        var pruned = await kubectl.RunAsync($"apply -n pruned {Served} -f -", Service);

        Assert.Equal("service/web unchanged\ningress.networking.k8s.io/web pruned\n", pruned);
        // Without a list kubectl goes through the kinds that it knows, and names the first that is not served.
        var all = await kubectl.TryAsync("apply -n pruned --prune -l part=all -f -", Service);
        Assert.Contains("no matches for kind \"PersistentVolumeClaim\" in version \"v1\"", all.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_dump_of_the_cluster_is_whole()
    {
        using var kubectl = await NewAsync("dumped");
        await kubectl.TryAsync("apply -n dumped -f -", Mixed);

        var dump = await kubectl.RunAsync("cluster-info dump --namespaces dumped");

        Assert.Contains("\"kind\": \"ServiceList\"", dump, StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"DeploymentList\"", dump, StringComparison.Ordinal);
        Assert.Contains("\"name\": \"web\"", dump, StringComparison.Ordinal);
    }

    private async Task<Kubectl> NewAsync(string ns)
    {
        await Kubectl.SkipUnlessUsableAsync(TestContext.Current.CancellationToken);
        var kubectl = new Kubectl(host);
        await kubectl.RunAsync($"create namespace {ns}");
        return kubectl;
    }

    // What is created may not name a version, and an Ingress has another as soon as its status is written.
    private static string WithoutVersions(string backup) =>
        string.Join('\n', backup.Split('\n').Where(line => !line.Contains("resourceVersion", StringComparison.Ordinal) || line.Contains("\"\"", StringComparison.Ordinal)));
}

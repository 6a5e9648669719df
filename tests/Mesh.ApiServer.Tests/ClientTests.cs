using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The public client library, as a program uses it.</summary>
public sealed class ClientTests(ApiHost host) : IClassFixture<ApiHost>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-B1")]
    [Trait("Row", "SVC-B2")]
    public async Task A_service_is_created_with_the_servers_own_fields()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var sent = Web();
        sent.Metadata.Uid = "mine";
        sent.Status = new V1ServiceStatus { LoadBalancer = new V1LoadBalancerStatus { Ingress = [new V1LoadBalancerIngress { Ip = "1.2.3.4" }] } };

        var created = await host.Client.CoreV1.CreateNamespacedServiceAsync(sent, ns, cancellationToken: Stop);

        Assert.True(Guid.TryParse(created.Uid(), out _));
        Assert.NotNull(created.CreationTimestamp());
        Assert.NotEmpty(created.ResourceVersion());
        Assert.Null(created.Status.LoadBalancer.Ingress);
        var read = await host.Client.CoreV1.ReadNamespacedServiceAsync("web", ns, cancellationToken: Stop);
        Assert.Equal(created.ResourceVersion(), read.ResourceVersion());
        Assert.Equal((8080, "TCP"), (int.Parse(read.Spec.Ports[0].TargetPort.Value, System.Globalization.CultureInfo.InvariantCulture), read.Spec.Ports[0].Protocol));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-B3")]
    [Trait("Row", "REL-A23")]
    public async Task A_stale_update_conflicts_and_an_update_that_changes_nothing_writes_nothing()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var first = await host.Client.CoreV1.CreateNamespacedServiceAsync(Web(), ns, cancellationToken: Stop);
        var same = await host.Client.CoreV1.ReplaceNamespacedServiceAsync(first, "web", ns, cancellationToken: Stop);
        Assert.Equal(first.ResourceVersion(), same.ResourceVersion());

        first.Spec.Selector["tier"] = "front";
        var second = await host.Client.CoreV1.ReplaceNamespacedServiceAsync(first, "web", ns, cancellationToken: Stop);
        Assert.NotEqual(first.ResourceVersion(), second.ResourceVersion());
        first.Spec.Selector["tier"] = "back";
        var stale = await Assert.ThrowsAsync<HttpOperationException>(() => host.Client.CoreV1.ReplaceNamespacedServiceAsync(first, "web", ns, cancellationToken: Stop));
        Assert.Equal(HttpStatusCode.Conflict, stale.Response.StatusCode);
        Assert.Contains("the object has been modified", stale.Response.Content, StringComparison.Ordinal);

        first.Metadata.ResourceVersion = null;
        var unconditional = await host.Client.CoreV1.ReplaceNamespacedServiceAsync(first, "web", ns, cancellationToken: Stop);
        Assert.Equal("back", unconditional.Spec.Selector["tier"]);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-B11")]
    [Trait("Row", "REL-A26")]
    public async Task A_deletion_checks_its_preconditions_and_answers_with_what_was_there()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var created = await host.Client.CoreV1.CreateNamespacedServiceAsync(Web(), ns, cancellationToken: Stop);
        var other = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = "another" } };
        var refused = await Assert.ThrowsAsync<HttpOperationException>(() => host.Client.CoreV1.DeleteNamespacedServiceAsync("web", ns, other, cancellationToken: Stop));
        Assert.Equal(HttpStatusCode.Conflict, refused.Response.StatusCode);

        var deleted = await host.Client.CoreV1.DeleteNamespacedServiceAsync("web", ns, cancellationToken: Stop);
        Assert.Equal(created.Uid(), deleted.Uid());
        var gone = await Assert.ThrowsAsync<HttpOperationException>(() => host.Client.CoreV1.DeleteNamespacedServiceAsync("web", ns, cancellationToken: Stop));
        Assert.Equal(HttpStatusCode.NotFound, gone.Response.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-B5")]
    [Trait("Row", "REL-A31")]
    public async Task A_dry_run_answers_and_stores_nothing()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var before = await host.Client.CoreV1.ListNamespaceAsync(cancellationToken: Stop);
        var tried = await host.Client.CoreV1.CreateNamespacedServiceAsync(Web(), ns, dryRun: "All", cancellationToken: Stop);
        await host.Client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = "dry" } }, dryRun: "All", cancellationToken: Stop);
        await host.Client.CoreV1.DeleteNamespaceAsync(ns, dryRun: "All", cancellationToken: Stop);

        Assert.Equal("ClusterIP", tried.Spec.Type);
        Assert.Empty((await host.Client.CoreV1.ListNamespacedServiceAsync(ns, cancellationToken: Stop)).Items);
        var after = await host.Client.CoreV1.ListNamespaceAsync(cancellationToken: Stop);
        Assert.Equal(before.Items.Select(NameAndVersion), after.Items.Select(NameAndVersion));
    }

    private static string NameAndVersion(V1Namespace item) => $"{item.Name()} {item.ResourceVersion()}";

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A25")]
    public async Task Patches_that_race_are_all_applied()
    {
        var ns = await host.Http.NewNamespaceAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => host.Client.CoreV1.PatchNamespaceAsync(
            new V1Patch("{\"metadata\":{\"labels\":{\"n" + i + "\":\"x\"}}}", V1Patch.PatchType.MergePatch), ns, cancellationToken: Stop)));

        var patched = await host.Client.CoreV1.ReadNamespaceAsync(ns, cancellationToken: Stop);

        Assert.Equal(20, patched.Labels().Count(label => label.Key.StartsWith('n')));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A28")]
    public async Task Of_fifty_creates_of_one_name_one_wins()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            host.Http.SendAsync("POST", "/api/v1/namespaces", """{"metadata":{"name":"contested"}}""")));

        Assert.Equal(1, answers.Count(answer => answer.Code == 201));
        Assert.Equal(49, answers.Count(answer => answer is { Code: 409, Reason: "AlreadyExists" }));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-B14")]
    public async Task A_collection_is_deleted_by_its_labels()
    {
        var ns = await host.Http.NewNamespaceAsync();
        foreach (var name in new[] { "a", "b", "c" })
        {
            var service = Web();
            service.Metadata.Name = name;
            service.Metadata.Labels = new Dictionary<string, string> { ["keep"] = name == "c" ? "yes" : "no" };
            await host.Client.CoreV1.CreateNamespacedServiceAsync(service, ns, cancellationToken: Stop);
        }

        await host.Client.CoreV1.DeleteCollectionNamespacedServiceAsync(ns, labelSelector: "keep!=yes", cancellationToken: Stop);

        Assert.Equal(["c"], (await host.Client.CoreV1.ListNamespacedServiceAsync(ns, cancellationToken: Stop)).Items.Select(service => service.Name()));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-W11")]
    [Trait("Row", "SVC-W12")]
    public async Task Lists_are_narrowed_by_labels_and_fields()
    {
        var ns = await host.Http.NewNamespaceAsync();
        foreach (var name in new[] { "a", "b" })
        {
            var service = Web();
            service.Metadata.Name = name;
            service.Metadata.Labels = new Dictionary<string, string> { [name] = "x" };
            await host.Client.CoreV1.CreateNamespacedServiceAsync(service, ns, cancellationToken: Stop);
        }

        foreach (var (labels, expected) in new[]
        {
            ("a=x", "a"), ("a==x", "a"), ("a!=x", "b"), ("a", "a"), ("!a", "b"), ("a in (x,y)", "a"), ("a notin (x)", "b"), ("a,b", ""),
            ("a in (x), !b", "a"), ("", "ab"),
        })
        {
            var list = await host.Client.CoreV1.ListNamespacedServiceAsync(ns, labelSelector: labels, cancellationToken: Stop);
            Assert.Equal(expected, string.Concat(list.Items.Select(service => service.Name())));
        }

        foreach (var (fields, expected) in new[] { ("metadata.name=a", "a"), ("metadata.name!=a,spec.type=ClusterIP", "b"), ("spec.type=NodePort", "") })
        {
            var list = await host.Client.CoreV1.ListNamespacedServiceAsync(ns, fieldSelector: fields, cancellationToken: Stop);
            Assert.Equal(expected, string.Concat(list.Items.Select(service => service.Name())));
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ING-ST1")]
    [Trait("Row", "ING-ST2")]
    public async Task An_ingress_counts_generations_of_its_spec_and_keeps_its_status()
    {
        var ns = await host.Http.NewNamespaceAsync();
        var sent = new V1Ingress
        {
            Metadata = new V1ObjectMeta { Name = "app" },
            Spec = new V1IngressSpec { Rules = [new V1IngressRule { Host = "a.b" }] },
        };
        var created = await host.Client.NetworkingV1.CreateNamespacedIngressAsync(sent, ns, cancellationToken: Stop);
        created.Metadata.Labels = new Dictionary<string, string> { ["a"] = "b" };
        created.Status = new V1IngressStatus { LoadBalancer = new V1IngressLoadBalancerStatus { Ingress = [new V1IngressLoadBalancerIngress { Ip = "1.1.1.1" }] } };
        var labelled = await host.Client.NetworkingV1.ReplaceNamespacedIngressAsync(created, "app", ns, cancellationToken: Stop);
        labelled.Spec.Rules[0].Host = "c.d";
        var changed = await host.Client.NetworkingV1.ReplaceNamespacedIngressAsync(labelled, "app", ns, cancellationToken: Stop);

        Assert.Equal((1, 1, 2), (created.Metadata.Generation, labelled.Metadata.Generation, changed.Metadata.Generation));
        Assert.Null(changed.Status.LoadBalancer.Ingress);
    }

    private static V1Service Web() => new()
    {
        Metadata = new V1ObjectMeta { Name = "web" },
        Spec = new V1ServiceSpec
        {
            Selector = new Dictionary<string, string> { ["app"] = "web" },
            Ports = [new V1ServicePort { Port = 80, TargetPort = 8080 }],
        },
    };
}

using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Pods;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Pods;

[Collection(ClusterGroup.Name)]
public class PodReportTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 30_000)]
    public async Task A_registration_is_committed_before_it_is_acknowledged()
    {
        var pod = await PodAsync();
        var reply = await pod.ReportAsync(pod.Alive("u1", 1));
        Assert.Equal(PodReportResult.Accepted, reply.Result);
        var stored = await Cluster.Store.ReadAsync(pod.Key, Stop);
        Assert.Equal("u1", stored?.Uid);
        Assert.Equal(stored?.CreatedVersion, reply.CreatedVersion);
        Assert.Equal(stored?.ResourceVersion, reply.ResourceVersion);
    }

    [Fact(Timeout = 30_000)]
    public async Task Reports_repeated_doubled_and_out_of_order_leave_what_the_newest_said()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        await Task.WhenAll(
            pod.ReportAsync(pod.Alive("u1", 4, ready: false)),
            pod.ReportAsync(pod.Alive("u1", 3)),
            pod.ReportAsync(pod.Alive("u1", 4, ready: false)),
            pod.ReportAsync(pod.Alive("u1", 2)));
        await pod.UntilAsync(stored => stored is not null && !PodDocument.IsReady(stored.Document));
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 3))).Result);
        await pod.Grain.Reconcile(0, Stop);
        Assert.False(PodDocument.IsReady((await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(StoreFault.Unavailable)]
    [InlineData(StoreFault.UnknownNotWritten)]
    [InlineData(StoreFault.UnknownWritten)]
    public async Task A_registration_whose_commit_failed_is_not_acknowledged_and_the_next_try_makes_one_Pod(StoreFault fault)
    {
        var pod = await PodAsync();
        Cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == pod.Key) ? fault : StoreFault.None);
        Assert.Equal(PodReportResult.Retry, (await pod.ReportAsync(pod.Alive("u1", 1))).Result);
        Cluster.Store.Heal();
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 1))).Result);
        Assert.Equal("u1", (await Cluster.Store.ReadAsync(pod.Key, Stop))?.Uid);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(StoreFault.Unavailable)]
    [InlineData(StoreFault.UnknownNotWritten)]
    [InlineData(StoreFault.UnknownWritten)]
    public async Task An_end_is_acknowledged_only_when_it_is_committed(StoreFault fault)
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        Cluster.Store.Choose((writes, _) => writes.Any(write => write is Write.Delete && write.Key == pod.Key) ? fault : StoreFault.None);
        Assert.Equal(PodReportResult.Retry, (await pod.ReportAsync(pod.End("u1", 2))).Result);
        Cluster.Store.Heal();
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 2))).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_report_older_than_the_end_of_its_Pod_brings_nothing_back()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        await pod.ReportAsync(pod.End("u1", 3));
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 2))).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_name_whose_Pod_ended_moves_to_another_node_and_late_words_of_the_first_change_nothing()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 9, node: "a"));
        Assert.Equal(PodReportResult.Conflict, (await pod.ReportAsync(pod.Alive("u2", 1, node: "b"))).Result);
        await pod.ReportAsync(pod.End("u1", 10, node: "a"));
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u2", 1, node: "b"))).Result);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 11, node: "a"))).Result);
        var stored = await Cluster.Store.ReadAsync(pod.Key, Stop);
        Assert.Equal(("u2", "b"), (stored!.Uid, PodDocument.NodeName(stored.Document)));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_newer_Pod_of_the_same_node_takes_the_place_of_one_whose_end_was_lost()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u2", 5))).Result);
        Assert.Equal("u2", (await Cluster.Store.ReadAsync(pod.Key, Stop))?.Uid);
        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.Alive("u1", 2))).Result);
        Assert.Equal("u2", (await Cluster.Store.ReadAsync(pod.Key, Stop))?.Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registration_in_a_namespace_that_is_missing_or_ending_is_refused()
    {
        var missing = new ReportedPod(Cluster, NamespacedName.Of("never-made", "web"), Stop);
        Assert.Equal(PodReportResult.NamespaceNotActive, (await missing.ReportAsync(missing.Alive("u1", 1))).Result);

        var ending = await PodAsync();
        var ns = Kinds.Namespace(ending.Name.Namespace);
        Cluster.Store.Choose((writes, _) => writes.Any(write => write is Write.Delete && write.Key == ns) ? StoreFault.Unavailable : StoreFault.None); // the Keeper does not get to its end
        try
        {
            await Cluster.PutAsync(ns, $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{ns.Name}}}","uid":"uid-{{{ns.Name}}}","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"phase":"Terminating"}}""");
            Assert.Equal(PodReportResult.NamespaceNotActive, (await ending.ReportAsync(ending.Alive("u1", 1))).Result);
            Assert.NotNull(await Cluster.Store.ReadAsync(ns, Stop));
        }
        finally
        {
            Cluster.Store.Heal();
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_deletion_asked_for_by_kubectl_waits_for_the_node_to_report_the_end()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        var reply = await pod.Grain.Write(new ObjectRequest(ObjectVerb.Delete, default, 0, "", false), Stop);
        Assert.Equal(ObjectResult.DeletionStarted, reply.Result);
        Assert.True((await Cluster.Store.ReadAsync(pod.Key, Stop))!.IsDeleting);
        await pod.ReportAsync(pod.End("u1", 2));
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_manifest_Pod_is_bound_to_a_node_and_becomes_ready_by_its_nodes_word()
    {
        var pod = await PodAsync();
        var document = $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"{{{pod.Name.Namespace}}}"},"spec":{"containers":[{"name":"web","image":"x","ports":[{"containerPort":80}]}]}}""";
        var reply = await pod.Grain.Write(new ObjectRequest(ObjectVerb.Create, Encoding.UTF8.GetBytes(document), 0, "", false), Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
        var created = PodParser.Parse(reply.Document, 1);
        Assert.Equal("own", created.NodeName);
        Assert.False(created.IsReady);
        Assert.Equal(PodReportResult.Conflict, (await pod.ReportAsync(pod.Alive("u9", 1))).Result);
        await pod.ReportAsync(pod.Alive(created.Uid, 2, node: "own") with { IsRegistered = false, Document = default });
        await pod.UntilAsync(stored => stored is not null && PodDocument.IsReady(stored.Document));
        await pod.Grain.Write(new ObjectRequest(ObjectVerb.Delete, default, 0, "", false), Stop);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task Labels_that_kubectl_set_survive_a_later_registration()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        var stored = JsonNode.Parse((await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document.Span)!;
        stored["metadata"]!["labels"]!["owner"] = "me";
        await pod.Grain.Write(new ObjectRequest(ObjectVerb.Update, Encoding.UTF8.GetBytes(stored.ToJsonString()), 0, "", false), Stop);
        await pod.ReportAsync(pod.Alive("u1", 2, version: 2, app: "shop"));
        var labels = PodParser.Parse((await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document, 1).Labels;
        Assert.Equal(("shop", "me"), (labels["app"], labels["owner"]));
    }

    [Fact(Timeout = 30_000)]
    public async Task What_kubectl_took_away_stays_away_and_an_update_cannot_make_a_registered_Pod_another_thing()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        var stored = JsonNode.Parse((await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document.Span)!;
        stored["metadata"]!.AsObject().Remove("labels");
        stored["metadata"]!.AsObject().Remove("annotations");
        await pod.Grain.Write(new ObjectRequest(ObjectVerb.Update, Encoding.UTF8.GetBytes(stored.ToJsonString()), 0, "", false), Stop);

        var none = new RegistrationKeys(new Dictionary<string, long>(), new Dictionary<string, long>());
        await pod.ReportAsync(pod.Alive("u1", 2, version: 2) with { Named = none });

        var after = (await Cluster.Store.ReadAsync(pod.Key, Stop))!.Document;
        var read = PodParser.Parse(after, 1);
        Assert.Empty(read.Labels);
        Assert.True(read.IsRegistered);
        Assert.Equal("127.80.0.1", read.PodIP?.ToString());
        Assert.Equal((2, 2UL), RegisteredPod.Shown(after));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_registered_Pod_that_its_nodes_inventory_lacks_has_ended_and_newer_ones_stay()
    {
        var pod = await PodAsync();
        var newer = new ReportedPod(Cluster, NamespacedName.Of(pod.Name.Namespace, "newer"), Stop);
        await pod.ReportAsync(pod.Alive("u1", 1));
        var last = await newer.ReportAsync(newer.Alive("u2", 9));
        await Cluster.Cache().WaitForAsync(last.ResourceVersion, Stop);
        var inventories = MeshTestCluster.Service<Mesh.Grains.Nodes.InventoryRouting>(Cluster.Silos[0]);
        await inventories.RouteAsync("a", 5, pod.Name.Namespace, [], Stop);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
        Assert.NotNull(await Cluster.Store.ReadAsync(newer.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D1")]
    public async Task Readiness_and_an_end_are_told_on_while_their_commit_hangs_and_the_end_is_acknowledged_after_it()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        Cluster.Store.Block();
        Assert.Equal(PodReportResult.Accepted, (await pod.Grain.Observe(pod.Alive("u1", 2, ready: false), Stop))?.Result);
        Assert.Equal(PodReportResult.Heard, (await pod.Grain.Observe(pod.Alive("u1", 3, version: 2), Stop))?.Result);
        Assert.Equal(PodReportResult.Heard, (await pod.Grain.Observe(pod.End("u1", 4), Stop))?.Result);
        var ending = pod.ReportAsync(pod.End("u1", 4));
        Assert.Equal(PodReportResult.Heard, (await pod.Grain.Observe(pod.End("u1", 4), Stop))?.Result);
        Assert.False(ending.IsCompleted);

        Cluster.Store.Heal();
        Assert.Equal(PodReportResult.Accepted, (await ending).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D1")]
    public async Task An_end_that_comes_while_its_registration_is_on_its_way_to_the_store_is_not_forgotten()
    {
        var pod = await PodAsync();
        var come = Cluster.Store.Block((writes, _) => writes.Any(write => write.Key == pod.Key));
        var registering = pod.ReportAsync(pod.Alive("u1", 1));
        await come.WaitAsync(Stop);
        Assert.Equal(PodReportResult.Heard, (await pod.Grain.Observe(pod.End("u1", 2), Stop))?.Result);
        var ending = pod.ReportAsync(pod.End("u1", 2));

        Cluster.Store.Heal();
        Assert.Equal(PodReportResult.Accepted, (await registering).Result);
        Assert.Equal(PodReportResult.Accepted, (await ending).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D1")]
    public async Task An_end_that_the_store_did_not_take_is_written_when_it_does_though_nobody_tells_of_it_again()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        Cluster.Store.Choose((writes, _) => writes.Any(write => write.Key == pod.Key) ? StoreFault.Unavailable : StoreFault.None);
        Assert.Equal(PodReportResult.Retry, (await pod.ReportAsync(pod.End("u1", 2))).Result);
        Cluster.Store.Heal();
        await pod.UntilAsync(stored => stored is null);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D12")]
    public async Task An_end_waits_for_no_status_of_its_Pod_that_stands_in_the_stores_queue()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        var come = Cluster.Store.Block((writes, commitClass) => commitClass == CommitClass.Projection && writes.Any(write => write.Key == pod.Key));
        await pod.ReportAsync(pod.Alive("u1", 2, ready: false));
        await come.WaitAsync(Stop);

        Assert.Equal(PodReportResult.Accepted, (await pod.ReportAsync(pod.End("u1", 3))).Result);
        Assert.Null(await Cluster.Store.ReadAsync(pod.Key, Stop));
        Cluster.Store.Heal();
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D12")]
    public async Task What_a_user_asks_of_a_Pod_waits_for_no_status_of_it_that_stands_in_the_stores_queue_and_the_status_follows()
    {
        var pod = await PodAsync();
        await pod.ReportAsync(pod.Alive("u1", 1));
        var come = Cluster.Store.Block((writes, commitClass) => commitClass == CommitClass.Projection && writes.Any(write => write.Key == pod.Key));
        await pod.ReportAsync(pod.Alive("u1", 2, ready: false));
        await come.WaitAsync(Stop);

        Assert.Equal(ObjectResult.DeletionStarted, (await pod.Grain.Write(new ObjectRequest(ObjectVerb.Delete, default, 0, "", false), Stop)).Result);
        Cluster.Store.Heal();
        await pod.UntilAsync(stored => stored is { IsDeleting: true } && !PodDocument.IsReady(stored.Document));
    }

    private async Task<ReportedPod> PodAsync() => new(Cluster, NamespacedName.Of(await Cluster.NamespaceAsync(), "web"), Stop);
}

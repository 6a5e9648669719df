using System.Net;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Services;

[Collection(ClusterGroup.Name)]
public sealed class ServiceWriteTests(SharedCluster shared) : IDisposable
{
    private readonly MeshTestCluster _cluster = shared.Cluster;

    public void Dispose()
    {
        _cluster.Store.Heal();
        _cluster.Network.Heal();
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A1")]
    public async Task A_service_gets_an_address_in_its_own_commit()
    {
        var (_, reply) = await CreateAsync();
        Assert.Equal(ObjectResult.Committed, reply.Result);
        var address = IPAddress.Parse(reply.Text("spec", "clusterIP"));
        Assert.True(_cluster.Options.ServiceCidr.Contains(address));
        Assert.Equal($"[\"{address}\"]", reply.Text("spec", "clusterIPs"));
        var allocation = await _cluster.Store.ReadAsync(Kinds.IPAddress(address.ToString()), Stop);
        Assert.Equal(reply.ResourceVersion + 1, allocation!.ResourceVersion); // the next write of the same commit
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A4")]
    public async Task An_address_that_is_taken_is_refused_and_nothing_is_stored()
    {
        var (_, first) = await CreateAsync();
        var address = first.Text("spec", "clusterIP");
        var (name, second) = await CreateAsync($"\"clusterIP\":\"{address}\",\"clusterIPs\":[\"{address}\"],");
        Assert.Equal(ObjectResult.Invalid, second.Result);
        Assert.Equal("spec.clusterIPs", second.Field);
        Assert.Contains("provided IP is already allocated", second.Message, StringComparison.Ordinal);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.Service(name), Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A14")]
    public async Task Of_two_creates_that_ask_for_one_address_exactly_one_gets_it()
    {
        const string Asked = "\"clusterIP\":\"127.96.0.77\",\"clusterIPs\":[\"127.96.0.77\"],";
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CreateAsync(Asked)));
        Assert.Single(replies, created => created.Reply.Result == ObjectResult.Committed);
        Assert.Equal(5, replies.Count(created => created.Reply.Result == ObjectResult.Invalid));
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-A5")]
    [InlineData("10.1.2.3")]
    [InlineData("127.96.0.0")]
    [InlineData("127.96.255.255")]
    public async Task An_address_outside_the_range_is_refused(string address)
    {
        var (_, reply) = await CreateAsync($"\"clusterIP\":\"{address}\",\"clusterIPs\":[\"{address}\"],");
        Assert.Equal(ObjectResult.Invalid, reply.Result);
        Assert.Equal("spec.clusterIPs", reply.Field);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A7")]
    public async Task A_headless_service_gets_none()
    {
        var (_, reply) = await CreateAsync("\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"],");
        Assert.Equal(ObjectResult.Committed, reply.Result);
        Assert.Equal("None", reply.Text("spec", "clusterIP"));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A8")]
    [Trait("Row", "SVC-A9")]
    public async Task An_update_keeps_the_address_and_cannot_change_it()
    {
        var (name, created) = await CreateAsync();
        var kept = await Grain(name).Write(Some.Update(Some.Service(name, "other")), Stop);
        Assert.Equal(created.Text("spec", "clusterIP"), kept.Text("spec", "clusterIP"));
        var changed = await Grain(name).Write(Some.Update(Some.Service(name, more: "\"clusterIP\":\"127.96.9.9\",\"clusterIPs\":[\"127.96.9.9\"],")), Stop);
        Assert.Equal((ObjectResult.Invalid, "spec.clusterIPs[0]"), (changed.Result, changed.Field));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A11")]
    public async Task A_deleted_services_address_is_free_at_once()
    {
        var (name, created) = await CreateAsync();
        var address = created.Text("spec", "clusterIP");
        Assert.Equal(ObjectResult.Committed, (await Grain(name).Write(Some.Delete(), Stop)).Result);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.IPAddress(address), Stop));
        var (_, again) = await CreateAsync($"\"clusterIP\":\"{address}\",\"clusterIPs\":[\"{address}\"],");
        Assert.Equal(ObjectResult.Committed, again.Result);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A12")]
    public async Task A_dry_run_stores_nothing()
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        var reply = await Grain(name).Write(Some.Create(Some.Service(name), dryRun: true), Stop);
        Assert.Equal(ObjectResult.Committed, reply.Result);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.Service(name), Stop));
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.IPAddress(reply.Text("spec", "clusterIP")), Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_write_that_the_store_refused_changes_nothing()
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        _cluster.Store.Choose((_, _) => StoreFault.Unavailable);
        Assert.Equal(ObjectResult.Unavailable, (await Grain(name).Write(Some.Create(Some.Service(name)), Stop)).Result);
        _cluster.Store.Heal();
        Assert.Equal(ObjectResult.Committed, (await Grain(name).Write(Some.Create(Some.Service(name)), Stop)).Result);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(StoreFault.UnknownWritten, ObjectResult.AlreadyExists)]
    [InlineData(StoreFault.UnknownNotWritten, ObjectResult.Committed)]
    public async Task A_write_whose_outcome_is_unknown_is_forgotten_and_the_store_is_read(StoreFault fault, ObjectResult second)
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        var reads = _cluster.Store.Reads; // before the Keeper, who sees what was written, makes the grain read
        _cluster.Store.Choose((_, _) => fault);
        Assert.Equal(ObjectResult.Unknown, (await Grain(name).Write(Some.Create(Some.Service(name)), Stop)).Result);
        _cluster.Store.Heal();
        Assert.Equal(second, (await Grain(name).Write(Some.Create(Some.Service(name)), Stop)).Result);
        Assert.True(_cluster.Store.Reads > reads);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_service_with_finalizers_is_marked_and_goes_with_the_last_of_them()
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        var held = Some.Service(name).Replace("\"labels\"", "\"finalizers\":[\"example.com/hold\"],\"labels\"", StringComparison.Ordinal);
        var created = await Grain(name).Write(Some.Create(held), Stop);
        var allocation = Kinds.IPAddress(created.Text("spec", "clusterIP"));
        for (var again = 0; again < 2; again++)
        {
            var marked = await Grain(name).Write(Some.Delete(), Stop);
            Assert.Equal(ObjectResult.DeletionStarted, marked.Result);
            Assert.NotEqual("", marked.Text("metadata", "deletionTimestamp"));
        }

        Assert.True((await _cluster.Store.ReadAsync(Kinds.Service(name), Stop))!.IsDeleting);
        Assert.NotNull(await _cluster.Store.ReadAsync(allocation, Stop));
        Assert.Equal(ObjectResult.Committed, (await Grain(name).Write(Some.Update(Some.Service(name)), Stop)).Result);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.Service(name), Stop));
        Assert.Null(await _cluster.Store.ReadAsync(allocation, Stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stale_resource_version_is_a_conflict()
    {
        var (name, created) = await CreateAsync();
        Assert.Equal(ObjectResult.Committed, (await Grain(name).Write(Some.Update(Some.Service(name), created.ResourceVersion), Stop)).Result);
        Assert.Equal(ObjectResult.Conflict, (await Grain(name).Write(Some.Update(Some.Service(name), created.ResourceVersion), Stop)).Result);
        Assert.Equal(ObjectResult.Conflict, (await Grain(name).Write(Some.Delete("another"), Stop)).Result);
    }

    [Fact(Timeout = 30_000)]
    public async Task Nothing_is_created_in_a_namespace_that_is_missing_or_ending()
    {
        var missing = NamespacedName.Of("missing", "web");
        Assert.Equal(ObjectResult.NamespaceNotFound, (await Grain(missing).Write(Some.Create(Some.Service(missing)), Stop)).Result);
        var ending = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        // A Pod whose node has not drained it yet keeps the namespace from going meanwhile.
        var draining = NamespacedName.Of(ending.Namespace, "draining");
        await _cluster.PutAsync(
            Kinds.Pod(draining),
            Some.Pod(draining, "uid-draining", "other", "n1", ready: false).Replace("\"uid\":", "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\",\"uid\":", StringComparison.Ordinal));
        await _cluster.PutAsync(
            Kinds.Namespace(ending.Namespace), """{"kind":"Namespace","metadata":{"name":"x","deletionTimestamp":"2026-01-01T00:00:00Z"},"status":{"phase":"Terminating"}}""");
        Assert.Equal(ObjectResult.NamespaceTerminating, (await Grain(ending).Write(Some.Create(Some.Service(ending)), Stop)).Result);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IServiceGrain Grain(NamespacedName name) => _cluster.Client.GetGrain<IServiceGrain>(name.ToString());

    private async Task<(NamespacedName Name, ObjectReply Reply)> CreateAsync(string more = "")
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        return (name, await Grain(name).Write(Some.Create(Some.Service(name, more: more)), Stop));
    }
}

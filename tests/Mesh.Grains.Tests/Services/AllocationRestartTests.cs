using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Services;

/// <summary>What became of allocations when silos start again: with other options, and over what an earlier version stored.</summary>
public sealed class AllocationRestartTests : IAsyncLifetime
{
    private MeshTestCluster _cluster = null!;
    private int _stored;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await MeshTestCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 120_000)]
    [Trait("Row", "SVC-A15")]
    [Trait("Row", "SVC-P7")]
    public async Task After_a_restart_every_number_has_one_holder_and_a_range_that_is_full_says_so()
    {
        await RestartAsync(options => (options.FirstNodePort, options.LastNodePort) = (31_000, 31_004));
        var (first, _) = await _cluster.CreateAsync(ExternalService.Port80, Stop);
        var (_, other) = await _cluster.CreateAsync("""{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":81,"protocol":"TCP"}""", Stop);

        await RestartAsync();

        var replies = new List<ObjectReply>();
        for (var i = 0; i < 3; i++)
        {
            replies.Add((await _cluster.CreateAsync(ExternalService.Port80, Stop)).Reply);
        }

        Assert.Equal((ObjectResult.Exhausted, "failed to allocate a nodePort: range is full"), (replies[2].Result, replies[2].Message));
        Assert.Equal(4, other.NodePorts().Concat(replies.Take(2).SelectMany(reply => reply.NodePorts())).Distinct().Count());
        await _cluster.ServiceGrain(first).Write(Some.Delete(), Stop);
        Assert.Equal(ObjectResult.Committed, (await _cluster.CreateAsync(ExternalService.Port80, Stop)).Reply.Result);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_range_that_moves_on_leaves_every_Service_what_it_has_and_a_pool_that_does_moves_its_Services()
    {
        var (name, created) = await _cluster.CreateAsync(ExternalService.Port80, Stop, "LoadBalancer");
        var had = created.NodePorts()[0];
        Assert.Equal(ExternalService.At("10.9.0.1"), created.Balancer());

        await RestartAsync(options =>
        {
            (options.FirstNodePort, options.LastNodePort) = (31_000, 31_009);
            options.LoadBalancerPool = [IPNetwork.Parse("127.0.0.99/32"), IPNetwork.Parse("10.9.1.0/30")];
        });
        await _cluster.ServiceGrain(name).Reconcile(0, Stop);

        Assert.Contains(ExternalService.At("127.0.0.99"), await StoredAsync(name), StringComparison.Ordinal);
        Assert.Contains($"\"nodePort\":{had}", await StoredAsync(name), StringComparison.Ordinal);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.LoadBalancerPort(IPAddress.Parse("10.9.0.1"), "TCP", 80), Stop));
        var kept = await _cluster.UpdateAsync(name, """{"name":"http","port":80,"protocol":"TCP","nodePort":NUMBER}""".Replace("NUMBER", $"{had}", StringComparison.Ordinal), Stop, "LoadBalancer");
        Assert.Equal([had], kept.NodePorts());

        // Mesh itself listens on 127.0.0.99:8080; a network's first address is no machine's.
        var (_, next) = await _cluster.CreateAsync("""{"name":"http","port":8080,"protocol":"TCP"}""", Stop, "LoadBalancer");
        Assert.Equal(ExternalService.At("10.9.1.1"), next.Balancer());
    }

    [Fact(Timeout = 120_000)]
    public async Task What_an_earlier_version_only_stored_is_allocated_when_its_grain_looks()
    {
        // As it stands in such a store: types and numbers as they were written, no rows, no addresses.
        var automatic = await StoreAsync("NodePort", ExternalService.Port80);
        var named = await StoreAsync("NodePort", """{"name":"http","port":80,"protocol":"TCP","nodePort":30500}""");
        var twice = await StoreAsync("LoadBalancer", """{"name":"http","port":80,"protocol":"TCP","nodePort":30501}""");
        var outside = await StoreAsync("NodePort", """{"name":"http","port":80,"protocol":"TCP","nodePort":6443}""");

        await RestartAsync();
        var (_, fresh) = await _cluster.CreateAsync("""{"name":"http","port":80,"protocol":"TCP","nodePort":30501}""", Stop);
        foreach (var name in new[] { automatic, named, twice, outside })
        {
            await _cluster.ServiceGrain(name).Reconcile(0, Stop);
        }

        Assert.Contains("\"nodePort\":30500", await StoredAsync(named), StringComparison.Ordinal);
        Assert.NotNull(await _cluster.Store.ReadAsync(Kinds.NodePort(30_500), Stop));
        Assert.DoesNotContain("\"nodePort\":6443", await StoredAsync(outside), StringComparison.Ordinal);
        Assert.Contains(ExternalService.At("10.9.0.1"), await StoredAsync(twice), StringComparison.Ordinal);
        // Whoever took the number first has it; the other gets one all the same, and all are different.
        var numbers = new List<string>();
        foreach (var name in new[] { automatic, named, twice, outside })
        {
            var stored = await StoredAsync(name);
            var at = stored.IndexOf("\"nodePort\":", StringComparison.Ordinal);
            Assert.True(at >= 0, stored);
            numbers.Add(stored.Substring(at + 11, 5));
            Assert.NotNull(await _cluster.Store.ReadAsync(Kinds.NodePort(int.Parse(numbers[^1], System.Globalization.CultureInfo.InvariantCulture)), Stop));
        }

        Assert.Equal(4, numbers.Distinct().Count());
        Assert.True(fresh.Result == ObjectResult.Invalid || numbers[2] != "30501");

        var (_, taken) = await _cluster.CreateAsync("""{"name":"http","port":80,"protocol":"TCP","nodePort":30500}""", Stop);
        Assert.Equal(ObjectResult.Invalid, taken.Result);
        await _cluster.ServiceGrain(named).Write(Some.Delete(), Stop);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.NodePort(30_500), Stop));
    }

    [Fact(Timeout = 120_000)]
    public async Task Forty_that_are_created_at_once_get_forty_addresses()
    {
        await RestartAsync(options => options.LoadBalancerPool = [IPNetwork.Parse("10.9.2.0/26")]);

        var replies = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _cluster.CreateAsync(ExternalService.Port80, Stop, "LoadBalancer")));

        Assert.All(replies, created => Assert.Equal(ObjectResult.Committed, created.Reply.Result));
        Assert.Equal(40, replies.Select(created => created.Reply.Balancer()).Where(shown => shown != "{}").Distinct().Count());
    }

    private async Task RestartAsync(Action<GrainOptions>? change = null)
    {
        change?.Invoke(_cluster.Options);
        await _cluster.RestartAllAsync();
    }

    private async Task<NamespacedName> StoreAsync(string type, string ports)
    {
        var name = NamespacedName.Of(await _cluster.NamespaceAsync(), "web");
        var address = $"127.96.77.{++_stored}";
        var document = ExternalService.Document(name, ports, type, $"\"clusterIP\":\"{address}\",\"clusterIPs\":[\"{address}\"],");
        await _cluster.PutAsync(Kinds.Service(name), document);
        return name;
    }

    private async Task<string> StoredAsync(NamespacedName name) =>
        Encoding.UTF8.GetString((await _cluster.Store.ReadAsync(Kinds.Service(name), Stop))!.Document.Span);
}

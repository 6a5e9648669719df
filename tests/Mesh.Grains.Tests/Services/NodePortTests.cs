using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Xunit;

namespace Mesh.Grains.Tests.Services;

/// <summary>NodePorts as rows of the Service's own commits, on two silos over one store.</summary>
[Collection(ClusterGroup.Name)]
public sealed class NodePortTests(SharedCluster shared) : IDisposable
{
    private readonly MeshTestCluster _cluster = shared.Cluster;

    public void Dispose()
    {
        _cluster.Store.Heal();
        _cluster.Network.Heal();
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-P1")]
    [Trait("Row", "SVC-P2")]
    public async Task Each_port_gets_a_number_behind_the_ones_that_are_left_to_those_who_ask()
    {
        var (name, reply) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":81,"protocol":"TCP"}""");

        var numbers = reply.NodePorts();
        Assert.Equal(2, numbers.Distinct().Count());
        Assert.All(numbers, number => Assert.InRange(number, 30_086, 32_767));
        Assert.StartsWith("127.96.", reply.Text("spec", "clusterIP"), StringComparison.Ordinal);
        foreach (var number in numbers)
        {
            Assert.Contains($"\"name\":\"{name.Name}\"", await RowAsync(number), StringComparison.Ordinal);
        }
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-P3")]
    [InlineData(29_999)]
    [InlineData(32_768)]
    [InlineData(80)]
    public async Task A_number_outside_the_range_is_refused(int number)
    {
        var (_, reply) = await CreateAsync($$"""{"name":"a","port":80,"protocol":"TCP"},{"name":"b","port":81,"protocol":"TCP","nodePort":{{number}}}""");

        Assert.Equal((ObjectResult.Invalid, "spec.ports[1].nodePort"), (reply.Result, reply.Field));
        Assert.Equal($"Invalid value: {number}: provided port is not in the valid range. The range of valid ports is 30000-32767", reply.Message);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-P4")]
    public async Task A_number_that_another_Service_has_is_refused_also_for_another_protocol_and_nothing_is_stored()
    {
        var (holder, _) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30001}""");

        var (name, reply) = await CreateAsync("""{"name":"a","port":80,"protocol":"UDP","nodePort":30001}""");

        Assert.Equal((ObjectResult.Invalid, "spec.ports[0].nodePort"), (reply.Result, reply.Field));
        Assert.Equal($"Invalid value: 30001: provided port is already allocated to Service {holder}", reply.Message);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.Service(name), Stop));
    }

    [Theory(Timeout = 30_000)]
    [Trait("Row", "SVC-P5")]
    [Trait("Row", "SVC-P6")]
    [InlineData(",\"nodePort\":30002", ",\"nodePort\":30002")]
    [InlineData(",\"nodePort\":30003", "")]
    [InlineData("", ",\"nodePort\":30004")]
    [InlineData("", "")]
    public async Task Two_protocols_of_one_port_share_a_number(string tcp, string udp)
    {
        var (_, reply) = await CreateAsync($$"""{"name":"t","port":53,"protocol":"TCP"{{tcp}}},{"name":"u","port":53,"protocol":"UDP"{{udp}}}""");

        var numbers = reply.NodePorts();
        Assert.Equal(numbers[0], numbers[1]);
        Assert.NotNull(await _cluster.Store.ReadAsync(Kinds.NodePort(numbers[0]), Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-P6")]
    public async Task A_port_that_an_update_adds_gets_a_number_of_its_own_and_the_others_keep_theirs()
    {
        var (name, created) = await CreateAsync("""{"name":"t","port":53,"protocol":"TCP"}""");
        var had = created.NodePorts()[0];

        var reply = await _cluster.UpdateAsync(name, $$"""{"name":"t","port":53,"protocol":"TCP","nodePort":{{had}}},{"name":"u","port":53,"protocol":"UDP"}""", Stop);

        var numbers = reply.NodePorts();
        Assert.Equal(had, numbers[0]);
        Assert.NotEqual(had, numbers[1]);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-P9")]
    [Trait("Row", "SVC-P11")]
    public async Task What_a_change_or_a_deletion_gives_up_is_free_at_once_and_a_refused_change_gives_up_nothing()
    {
        var (name, _) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30010}""");
        await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30011}""");

        var refused = await _cluster.UpdateAsync(name, """{"name":"a","port":80,"protocol":"TCP","nodePort":30011}""", Stop);
        Assert.Equal(ObjectResult.Invalid, refused.Result);
        Assert.NotNull(await _cluster.Store.ReadAsync(Kinds.NodePort(30_010), Stop));

        var changed = await _cluster.UpdateAsync(name, """{"name":"a","port":80,"protocol":"TCP","nodePort":30012}""", Stop);
        Assert.Equal([30_012], changed.NodePorts());
        var (_, taken) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30010}""");
        Assert.Equal(ObjectResult.Committed, taken.Result);

        Assert.Equal(ObjectResult.Committed, (await _cluster.ServiceGrain(name).Write(Some.Delete(), Stop)).Result);
        var (_, again) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30012}""");
        Assert.Equal(ObjectResult.Committed, again.Result);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-P10")]
    public async Task A_Service_that_is_no_NodePort_any_more_has_none_and_as_one_again_gets_one()
    {
        var (name, _) = await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30020}""");

        Assert.Equal([0], (await _cluster.UpdateAsync(name, """{"name":"a","port":80,"protocol":"TCP"}""", Stop, "ClusterIP")).NodePorts());
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.NodePort(30_020), Stop));
        Assert.NotEqual([0], (await _cluster.UpdateAsync(name, """{"name":"a","port":80,"protocol":"TCP"}""", Stop)).NodePorts());
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "SVC-A13")]
    public async Task A_dry_run_takes_nothing_and_sees_what_is_taken()
    {
        await CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30030}""");
        await _cluster.Cache().WaitForFreshAsync(Stop);
        await _cluster.Cache(1).WaitForFreshAsync(Stop);

        var (_, free) = await _cluster.CreateAsync("""{"name":"a","port":80,"protocol":"TCP"}""", Stop, isDryRun: true);
        var (_, taken) = await _cluster.CreateAsync("""{"name":"a","port":80,"protocol":"TCP","nodePort":30030}""", Stop, isDryRun: true);

        Assert.Null(await _cluster.Store.ReadAsync(Kinds.NodePort(free.NodePorts()[0]), Stop));
        Assert.Equal(ObjectResult.Invalid, taken.Result);
    }

    [Fact(Timeout = 60_000)]
    public async Task Of_many_who_ask_for_one_number_one_gets_it_and_those_who_ask_for_none_get_others()
    {
        const string Asked = """{"name":"a","port":80,"protocol":"TCP","nodePort":30040}""";
        var asking = Enumerable.Range(0, 6).Select(_ => CreateAsync(Asked));
        var others = Enumerable.Range(0, 6).Select(_ => CreateAsync("""{"name":"a","port":80,"protocol":"TCP"}"""));

        var replies = await Task.WhenAll(asking.Concat(others));

        Assert.Equal(7, replies.Count(created => created.Reply.Result == ObjectResult.Committed));
        Assert.Equal(7, replies.Where(created => created.Reply.Result == ObjectResult.Committed).SelectMany(created => created.Reply.NodePorts()).Distinct().Count());
        Assert.Equal(5, replies.Count(created => created.Reply.Result == ObjectResult.Invalid));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Task<(NamespacedName Name, ObjectReply Reply)> CreateAsync(string ports) => _cluster.CreateAsync(ports, Stop);

    private async Task<string> RowAsync(int number) =>
        Encoding.UTF8.GetString((await _cluster.Store.ReadAsync(Kinds.NodePort(number), Stop))!.Document.Span);
}

using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Services;

/// <summary>Addresses of LoadBalancer Services, on two silos over one store whose pool is 10.9.0.1 and 10.9.0.2.</summary>
[Collection(ClusterGroup.Name)]
public sealed class LoadBalancerTests(SharedCluster shared) : IDisposable
{
    private const string First = "10.9.0.1";
    private const string Second = "10.9.0.2";

    private readonly MeshTestCluster _cluster = shared.Cluster;

    public void Dispose()
    {
        _cluster.Store.Heal();
        _cluster.Network.Heal();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L1")]
    [Trait("Row", "SVC-L13")]
    public async Task It_gets_a_ClusterIP_a_node_port_and_an_address_where_its_port_is_free_and_waits_while_there_is_none()
    {
        var (one, first) = await CreateAsync(Port(1080));
        var (_, second) = await CreateAsync(Port(1080));
        var (third, waiting) = await CreateAsync(Port(1080));
        var (_, other) = await CreateAsync(Port(1081));

        Assert.StartsWith("127.96.", first.Text("spec", "clusterIP"), StringComparison.Ordinal);
        Assert.NotEqual(0, first.NodePorts()[0]);
        Assert.Equal([ExternalService.At(First), ExternalService.At(Second), "{}", ExternalService.At(First)], new[] { first, second, waiting, other }.Select(reply => reply.Balancer()));
        var told = await EventAsync(third, "AddressNotAllocated");
        Assert.Contains($"no address of --loadbalancer-pool 10.9.0.1,10.9.0.2 has all its ports free: 10.9.0.1/TCP/1080 is allocated to Service {one}", told, StringComparison.Ordinal);

        await _cluster.ServiceGrain(one).Write(Some.Delete(), Stop);

        // The Keeper wakes who waits.
        await UntilAsync(third, document => document.Contains(ExternalService.At(First), StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L13")]
    public async Task The_address_that_it_asks_for_is_given_if_it_is_in_the_pool()
    {
        var (_, asked) = await CreateAsync(Port(1082), $"\"loadBalancerIP\":\"{Second}\",");
        var (name, foreign) = await CreateAsync(Port(1082), "\"loadBalancerIP\":\"10.9.0.3\",");

        Assert.Equal(ExternalService.At(Second), asked.Balancer());
        Assert.Equal("{}", foreign.Balancer());
        Assert.Contains("spec.loadBalancerIP 10.9.0.3 is not in --loadbalancer-pool 10.9.0.1,10.9.0.2", await EventAsync(name, "AddressNotAllocated"), StringComparison.Ordinal);
        Assert.Equal(ExternalService.At(First), (await UpdateAsync(name, Port(1082))).Balancer());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L5")]
    public async Task One_of_another_class_is_left_alone_and_one_of_Meshs_own_is_not()
    {
        var (_, foreign) = await CreateAsync(Port(1083), "\"loadBalancerClass\":\"example.com/lb\",");
        var (_, own) = await CreateAsync(Port(1083), $"\"loadBalancerClass\":\"{MeshLoadBalancerClass.Name}\",");

        Assert.Equal("{}", foreign.Balancer());
        Assert.NotEqual(0, foreign.NodePorts()[0]);
        Assert.Equal(ExternalService.At(First), own.Balancer());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L5")]
    public async Task What_another_controller_shows_of_one_of_its_class_stays_while_the_type_does()
    {
        const string Shown = """{"ingress":[{"ip":"192.0.2.7","ipMode":"Proxy"},{"hostname":"lb.example.com"}]}""";
        const string Class = "\"loadBalancerClass\":\"example.com/lb\",";
        var (name, _) = await CreateAsync(Port(1120), Class);

        var told = await _cluster.ServiceGrain(name).Write(Some.Update(Document(Port(1120))), Stop);
        await _cluster.ServiceGrain(name).Reconcile(0, Stop);
        var changed = await _cluster.ServiceGrain(name).Write(Some.Update(Document($"{Port(1120)},{Port(1121)}")), Stop);
        await _cluster.ServiceGrain(name).Reconcile(0, Stop);

        Assert.Equal([Shown, Shown], new[] { told, changed }.Select(reply => reply.Balancer()));
        Assert.Equal(changed.ResourceVersion, (await _cluster.Store.ReadAsync(Kinds.Service(name), Stop))!.ResourceVersion);
        Assert.Equal("{}", (await _cluster.UpdateAsync(name, Port(1120), Stop)).Balancer());

        string Document(string ports) => ExternalService.Document(name, ports, "LoadBalancer", Class).Replace("\"loadBalancer\":{}", $"\"loadBalancer\":{Shown}", StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-L3")]
    [Trait("Row", "SVC-L4")]
    public async Task Node_ports_are_not_taken_where_none_are_wanted_and_what_was_taken_stays()
    {
        const string None = "\"allocateLoadBalancerNodePorts\":false,";
        var (_, without) = await CreateAsync(Port(1084), None);
        var (_, named) = await CreateAsync($"{Port(1085)},{Port(1086, 30_050)}", None);
        var (name, with) = await CreateAsync(Port(1087));
        var had = with.NodePorts()[0];

        var kept = await UpdateAsync(name, Port(1087, had), None);
        var removed = await UpdateAsync(name, Port(1087), None);

        Assert.Equal([0], without.NodePorts());
        Assert.Equal([0, 30_050], named.NodePorts());
        Assert.Equal([had], kept.NodePorts());
        Assert.Equal([0], removed.NodePorts());
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.NodePort(had), Stop));
        Assert.All(new[] { without, named, kept, removed }, reply => Assert.Equal(ExternalService.At(First), reply.Balancer()));
    }

    [Theory(Timeout = 60_000)]
    [Trait("Row", "SVC-L11")]
    [Trait("Row", "SVC-L12")]
    [InlineData("NodePort")]
    [InlineData("ClusterIP")]
    public async Task With_another_type_the_address_goes_in_the_same_write_and_is_anothers_at_once(string type)
    {
        var ports = $$"""{{Port(1088)}},{"name":"u","port":1088,"protocol":"UDP","targetPort":8080}""";
        var (name, created) = await CreateAsync(ports);
        Assert.Equal(ExternalService.At(First), created.Balancer());

        var changed = await _cluster.UpdateAsync(name, Port(1088), Stop, type);
        var (other, given) = await CreateAsync(ports);

        Assert.Equal("{}", changed.Balancer());
        Assert.Equal(ExternalService.At(First), given.Balancer());
        await _cluster.ServiceGrain(other).Write(Some.Delete(), Stop);
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.LoadBalancerPort(IPAddress.Parse(First), "UDP", 1088), Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_port_that_is_added_does_not_move_it_and_what_is_free_at_its_address_is_answered_there()
    {
        var (holder, _) = await CreateAsync(Port(1090));
        var (name, created) = await CreateAsync(Port(1091));

        var more = await UpdateAsync(name, $"{Port(1091)},{Port(1092)}");
        var part = await UpdateAsync(name, $"{Port(1091)},{Port(1090)},{Port(1095)}");

        Assert.Equal([ExternalService.At(First), ExternalService.At(First)], new[] { created, more }.Select(reply => reply.Balancer()));
        Assert.Equal(
            """{"ingress":[{"ip":"10.9.0.1","ipMode":"VIP","ports":[{"port":1091,"protocol":"TCP"},{"port":1090,"protocol":"TCP","error":"mesh.internal/PortNotAllocated"},{"port":1095,"protocol":"TCP"}]}]}""",
            part.Balancer());
        Assert.True(await HasAsync(First, 1091));
        Assert.True(await HasAsync(First, 1095));
        Assert.False(await HasAsync(First, 1092));
        Assert.False(await HasAsync(Second, 1090));
        Assert.Contains($"not answered at 10.9.0.1: 10.9.0.1/TCP/1090 is allocated to Service {holder}: 10.9.0.1 is kept", await EventAsync(name, "AddressNotAllocated"), StringComparison.Ordinal);

        // Looking again changes nothing, and the port is its own as soon as the other gives it up.
        await _cluster.ServiceGrain(name).Reconcile(0, Stop);
        Assert.Equal(part.ResourceVersion, (await _cluster.Store.ReadAsync(Kinds.Service(name), Stop))!.ResourceVersion);
        await _cluster.ServiceGrain(holder).Write(Some.Delete(), Stop);
        await UntilAsync(name, document => document.Contains(ExternalService.At(First), StringComparison.Ordinal), part.ResourceVersion);
        Assert.True(await HasAsync(First, 1090));
    }

    [Fact(Timeout = 60_000)]
    public async Task Its_owner_moves_it_by_naming_another_address_or_by_giving_up_all_that_it_has_there()
    {
        await CreateAsync(Port(1100));
        var (name, _) = await CreateAsync(Port(1101));

        var moved = await UpdateAsync(name, Port(1100));
        Assert.Equal(ExternalService.At(Second), moved.Balancer());
        var back = await UpdateAsync(name, Port(1101), $"\"loadBalancerIP\":\"{First}\",");
        Assert.Equal(ExternalService.At(First), back.Balancer());
        Assert.True(await HasAsync(First, 1101));
        Assert.False(await HasAsync(Second, 1100));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(1110, "10.9.0.3", "10.9.0.1 is kept: spec.loadBalancerIP 10.9.0.3 is not in --loadbalancer-pool")]
    [InlineData(1111, Second, "10.9.0.1 is kept: spec.loadBalancerIP 10.9.0.2 has not all its ports free: 10.9.0.2/TCP/1111 is allocated")]
    public async Task One_that_serves_keeps_its_address_when_it_asks_for_another_that_it_cannot_have(int port, string asked, string told)
    {
        var (name, created) = await CreateAsync(Port(port));
        await CreateAsync(Port(port));
        Assert.Equal(ExternalService.At(First), created.Balancer());

        var updated = await UpdateAsync(name, Port(port), $"\"loadBalancerIP\":\"{asked}\",");

        Assert.Equal(ExternalService.At(First), updated.Balancer());
        Assert.True(await HasAsync(First, port));
        Assert.Contains(told, await EventAsync(name, "AddressNotAllocated"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Of_many_at_once_each_address_has_one()
    {
        var replies = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CreateAsync(Port(1093))));

        Assert.All(replies, created => Assert.Equal(ObjectResult.Committed, created.Reply.Result));
        Assert.Equal(
            [ExternalService.At(First), ExternalService.At(Second), "{}", "{}", "{}", "{}"],
            replies.Select(created => created.Reply.Balancer()).OrderBy(text => text == "{}").ThenBy(text => text, StringComparer.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "SVC-A13")]
    public async Task A_dry_run_takes_no_address()
    {
        var (_, reply) = await _cluster.CreateAsync(Port(1094), Stop, "LoadBalancer", isDryRun: true);

        Assert.Equal("{}", reply.Balancer());
        Assert.Null(await _cluster.Store.ReadAsync(Kinds.LoadBalancerPort(IPAddress.Parse(First), "TCP", 1094), Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Port(int port, int nodePort = 0) =>
        $$"""{"name":"p{{port}}","port":{{port}},"protocol":"TCP","targetPort":8080{{(nodePort > 0 ? $",\"nodePort\":{nodePort}" : "")}}}""";

    private Task<(NamespacedName Name, ObjectReply Reply)> CreateAsync(string ports, string more = "") => _cluster.CreateAsync(ports, Stop, "LoadBalancer", more);

    private Task<ObjectReply> UpdateAsync(NamespacedName name, string ports, string more = "") => _cluster.UpdateAsync(name, ports, Stop, "LoadBalancer", more);

    private async Task<bool> HasAsync(string address, int port) =>
        await _cluster.Store.ReadAsync(Kinds.LoadBalancerPort(IPAddress.Parse(address), "TCP", port), Stop) is not null;

    /// <summary>The message of the Service's Event, once there is one.</summary>
    private async Task<string> EventAsync(NamespacedName about, string reason)
    {
        var cache = _cluster.Cache();
        var there = cache.List("", "Event", about.Namespace);
        using var watch = cache.Watch(key => key.Kind == "Event" && key.Namespace == about.Namespace, there.Version); // not from 0, which a clock that jumps has expired
        IEnumerable<StoredObject> events = there.Items;
        while (true)
        {
            foreach (var told in events)
            {
                var document = Encoding.UTF8.GetString(told.Document.Span);
                if (document.Contains($"\"{reason}\"", StringComparison.Ordinal))
                {
                    return document;
                }
            }

            events = (await watch.NextAsync(Stop)).Select(static change => change.Object);
        }
    }

    private async Task UntilAsync(NamespacedName name, Func<string, bool> isSo, long after = 0)
    {
        using var watch = _cluster.Cache().Watch(key => key == Kinds.Service(name), after);
        while (!(await watch.NextAsync(Stop)).Any(change => isSo(Encoding.UTF8.GetString(change.Object.Document.Span))))
        {
        }
    }
}

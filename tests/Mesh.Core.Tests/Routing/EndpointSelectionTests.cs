using System.Collections.Immutable;
using System.Net;
using CsCheck;
using Mesh.Core.Labels;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests.Routing;

public class EndpointSelectionTests
{
    private static readonly ServicePort Http = new("p0", TransportProtocol.Tcp, 80, new TargetPort.Named("http"));

    [Fact]
    [Trait("Row", "SVC-S6")]
    public void An_empty_selector_matches_nothing() =>
        Assert.False(EndpointSelection.IsSelected(LabelMap.Empty, LabelMap.Of(("app", "a"))));

    [Fact]
    [Trait("Row", "SVC-E16")]
    public void A_selector_is_matched_by_all_of_its_pairs() =>
        Gen.Select(Some.Labels, Some.Labels).Sample((selector, labels) =>
            EndpointSelection.IsSelected(selector, labels)
            == (selector.Count > 0 && selector.All(want => labels.Any(has => has.Key == want.Key && has.Value == want.Value))));

    [Fact]
    [Trait("Row", "SVC-E7")]
    [Trait("Row", "SVC-S9")]
    public void Only_a_selected_Pod_of_the_namespace_with_an_address_that_has_not_ended_is_an_endpoint() =>
        Gen.Select(Some.Service, Some.Pod).Sample((service, pod) =>
            !EndpointSelection.IsEndpoint(service, pod)
            || (pod.Name.Namespace == service.Name.Namespace && pod.PodIP is not null && !pod.IsTerminal));

    [Fact]
    public void The_generators_reach_endpoints_and_refusals()
    {
        var seen = new int[2];
        Gen.Select(Some.Service, Some.Pod).Sample(
            (service, pod) => Interlocked.Increment(ref seen[EndpointSelection.IsEndpoint(service, pod) ? 1 : 0]), iter: 2_000);
        Assert.True(seen.Min() > 20, $"{seen[0]} refused, {seen[1]} endpoints");
    }

    [Fact]
    [Trait("Row", "SVC-E5")]
    public void A_named_target_port_is_resolved_by_each_Pod_for_itself()
    {
        var service = Web(Http);

        Assert.Equal([new EndpointPort("p0", TransportProtocol.Tcp, 3000)], EndpointSelection.PortsFor(service, [new("http", 3000, TransportProtocol.Tcp)]));
        Assert.Equal([new EndpointPort("p0", TransportProtocol.Tcp, 3001)], EndpointSelection.PortsFor(service, [new("http", 3001, TransportProtocol.Tcp)]));
    }

    [Fact]
    [Trait("Row", "SVC-E6")]
    public void A_named_target_port_that_differs_in_name_or_protocol_is_left_out()
    {
        var service = Web(Http, new ServicePort("p1", TransportProtocol.Tcp, 81, new TargetPort.Number(9)));

        Assert.Equal(
            [new EndpointPort("p1", TransportProtocol.Tcp, 9)],
            EndpointSelection.PortsFor(service, [new("http", 1, TransportProtocol.Udp), new("other", 2, TransportProtocol.Tcp)]));
    }

    [Theory]
    [Trait("Row", "SVC-E8")]
    [Trait("Row", "SVC-E9")]
    [InlineData(false, true, false, true)]
    [InlineData(false, true, true, false)]
    [InlineData(false, false, false, false)]
    [InlineData(true, false, false, true)]
    [InlineData(true, false, true, true)]
    public void Ready_is_serving_and_not_terminating_unless_not_ready_addresses_are_published(
        bool publish, bool serving, bool terminating, bool ready) =>
        Assert.Equal(ready, EndpointSelection.IsReady(Web(Http) with { PublishNotReadyAddresses = publish }, serving, terminating));

    [Fact]
    public void Ready_endpoints_are_used_alone() =>
        Assert.Equal(["ready"], Used(Web(Http), At("draining", 1, serving: true, terminating: true), At("ready", 2), At("starting", 3, serving: false)));

    [Fact]
    public void Without_a_ready_one_those_still_serving_while_they_terminate_are_used() =>
        Assert.Equal(["draining"], Used(Web(Http), At("dead", 1, serving: false, terminating: true), At("draining", 2, serving: true, terminating: true)));

    [Fact]
    public void What_does_not_serve_is_never_used() =>
        Assert.Empty(Used(Web(Http), At("starting", 1, serving: false), At("dead", 2, serving: false, terminating: true), At("ended", 3) with { Ended = true }));

    [Fact]
    public void Endpoints_of_silent_nodes_rank_last()
    {
        Assert.Equal(["draining"], Used(Web(Http), At("draining", 1, serving: true, terminating: true), At("silent", 2) with { NodeName = "silent" }));
        Assert.Equal(["silent"], Used(Web(Http), At("dead", 1, serving: false), At("silent", 2) with { NodeName = "silent" }));
    }

    [Fact]
    [Trait("Row", "SVC-E18")]
    public void One_address_and_port_is_used_once() =>
        Assert.Equal(["first"], Used(Web(Http), At("first", 1), At("second", 1)));

    [Fact]
    public void A_target_has_the_Pods_port()
    {
        var target = Assert.Single(EndpointSelection.Usable(Web(Http), [At("a", 1)], _ => false)[0].Usable);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.80.0.1"), 3000), target.Address);
    }

    [Fact]
    public void Selection_agrees_with_the_rule_of_kube_proxy() =>
        Some.Endpoint.Array[0, 6].Sample(endpoints =>
        {
            var rows = endpoints.DistinctBy(e => e.Pod).OrderBy(e => e.Pod).ToImmutableArray();
            var service = Web(new ServicePort("p0", TransportProtocol.Tcp, 80, new TargetPort.Number(8080)));
            var used = EndpointSelection.Usable(service, rows, node => node == "n2")[0].Usable.Select(t => t.Endpoint.Address.ToString()).ToHashSet();
            return used.SetEquals(Expected(rows));
        });

    [Fact]
    public void Selection_shares_what_did_not_change() =>
        Gen.Select(Some.Endpoint.Array[0, 6], Some.Endpoint.Array[0, 6]).Sample((some, others) =>
        {
            var service = Web(new ServicePort("p0", TransportProtocol.Tcp, 80, new TargetPort.Number(8080)));
            var before = EndpointSelection.Usable(service, Rows(some), _ => false);
            var mixed = Rows([.. others, .. some]);
            var shared = EndpointSelection.Usable(service, mixed, _ => false, before)[0];
            var alone = EndpointSelection.Usable(service, mixed, _ => false)[0];
            return shared.Usable.Select(t => t.Endpoint).SequenceEqual(alone.Usable.Select(t => t.Endpoint))
                && ReferenceEquals(EndpointSelection.Usable(service, mixed, _ => false, [shared])[0], shared);
        });

    private static ImmutableArray<Endpoint> Rows(IEnumerable<Endpoint> rows) => [.. rows.DistinctBy(e => e.Pod).OrderBy(e => e.Pod)];

    private static HashSet<string> Expected(ImmutableArray<Endpoint> rows)
    {
        var candidates = rows.Where(e => !e.Ended && e.Ports[0].Name == "p0").ToArray();
        foreach (var part in new[] { candidates.Where(e => e.NodeName != "n2"), candidates })
        {
            foreach (var rank in new[] { part.Where(e => e.Ready), part.Where(e => e.Serving && e.Terminating) })
            {
                if (rank.Any())
                {
                    return [.. rank.Select(e => e.Address.ToString())];
                }
            }
        }

        return [];
    }

    private static string[] Used(Service service, params ImmutableArray<Endpoint> endpoints) =>
        [.. EndpointSelection.Usable(service, endpoints, node => node == "silent")[0].Usable.Select(t => t.Endpoint.Pod.Name)];

    private static Service Web(params ImmutableArray<ServicePort> ports) =>
        new() { Name = NamespacedName.Of("n", "web"), Uid = "s", ResourceVersion = 1, Ports = ports };

    private static Endpoint At(string pod, byte address, bool serving = true, bool terminating = false) => new()
    {
        Pod = NamespacedName.Of("n", pod),
        Order = new RowOrder(pod, 1, 1, 1),
        Address = new IPAddress([127, 80, 0, address]),
        Ports = [new EndpointPort("p0", TransportProtocol.Tcp, 3000)],
        Ready = serving && !terminating,
        Serving = serving,
        Terminating = terminating,
    };
}

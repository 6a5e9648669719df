using System.Net;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

public class RoutingTableTests
{
    private const string Here = "here";

    private readonly RoutingTable _table = new(Here);

    [Fact]
    public void A_frontend_and_its_endpoints_are_swapped_together()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("a")));
        Apply(Told.Spec(version: 2, port: 81, endpoints: Told.Set(isFull: true, isSynced: true, [Told.Row("b", 2, spec: 2)], spec: 2)));

        var route = _table.Current.Services[Told.Web];
        Assert.Equal(81, route.Ports[0].Port.Port);
        Assert.Equal(["b"], Used());
        Assert.Equal(3, _table.Current.Version);
    }

    [Fact]
    public void A_frontend_without_known_endpoints_is_not_synced()
    {
        Apply(Told.Spec());
        Assert.False(_table.Current.Services[Told.Web].IsSynced);

        Apply(Told.Full(isSynced: true));
        Assert.True(_table.Current.Services[Told.Web].IsSynced);
    }

    [Fact]
    public void The_same_thing_told_again_is_the_same_snapshot()
    {
        RoutingChange[] changes =
        [
            Told.Spec(), Told.Rows(Told.Row("a"), Told.Row("b", 2, liveness: 3)), Told.Full(isSynced: true, Told.Row("a"), Told.Row("b", 2)),
            new RoutingChange.NamespaceExists("default", true), new RoutingChange.NodeSilent("elsewhere", true),
        ];
        Apply(changes);
        _table.MarkSynced();
        var before = _table.Current;
        _table.TakeChanged();

        Apply(changes);
        _table.MarkSynced();

        Assert.Same(before, _table.Current);
        Assert.Empty(_table.TakeChanged());
    }

    [Fact]
    public void Another_object_of_the_name_takes_over_nothing_of_the_one_before()
    {
        Apply(Told.Spec(uid: "old"), new RoutingChange.ServiceEndpoints(Told.Web, Told.Set(true, true, [Told.Row("a")], uid: "old")));
        Assert.Equal(["a"], Used());

        Apply(Told.Spec(uid: "new", version: 9, created: 9));
        Assert.Empty(Used());
        Assert.False(_table.Current.Services[Told.Web].IsSynced);

        Apply(Told.Spec(uid: "old", version: 2), new RoutingChange.ServiceRemoved(Told.Web, "old"));
        Apply(new RoutingChange.ServiceEndpoints(Told.Web, Told.Set(true, true, [Told.Row("a", liveness: 9)], uid: "old")));
        Assert.Equal("new", _table.Current.Services[Told.Web].Service.Uid);
        Assert.Empty(Used());
    }

    [Fact]
    public void A_removed_Service_is_not_brought_back_by_an_older_message()
    {
        Apply(Told.Spec(version: 5), new RoutingChange.ServiceRemoved(Told.Web, "svc-1"), Told.Spec(version: 4), Told.Rows(Told.Row("a")));

        Assert.Empty(_table.Current.Services);
        Assert.Empty(_table.Current.ClusterIPs);
    }

    [Fact]
    public void A_tombstone_outlives_one_sweep_and_not_two()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("a", liveness: 2) with { Ended = true }));
        _table.SweepTombstones();
        Apply(Told.Rows(Told.Row("a", liveness: 1)));
        Assert.Empty(Used());

        _table.SweepTombstones();
        Apply(Told.Rows(Told.Row("a", liveness: 1)));
        Assert.Equal(["a"], Used());
    }

    [Fact]
    public void An_unsynced_set_takes_nothing_away_and_a_synced_one_does()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("a"), Told.Row("b", 2)));

        Apply(Told.Full(isSynced: false, Told.Row("a")));
        Assert.Equal(["a", "b"], Used());

        Apply(Told.Full(isSynced: true, Told.Row("a")));
        Assert.Equal(["a"], Used());
    }

    [Fact]
    public void A_full_set_of_an_older_spec_takes_nothing_away()
    {
        Apply(Told.Spec(), Told.Rows());
        Apply(new RoutingChange.ServiceEndpoints(Told.Web, Told.Set(true, true, [Told.Row("a")], spec: 7)));
        Apply(new RoutingChange.ServiceEndpoints(Told.Web, Told.Set(true, true, [Told.Row("b", 2)], spec: 6)));
        Assert.Equal(["a", "b"], Used());
    }

    [Fact]
    public void A_document_that_cannot_be_read_changes_nothing()
    {
        Apply(Told.Spec());
        var before = _table.Current;
        var broken = new ObjectDocument(Told.Web, "svc-1", 2, 1, Json.Utf8("{}"));

        Assert.Throws<FormatException>(() => _table.Apply(new RoutingChange.ServiceSpec(broken, null)));
        Assert.Throws<FormatException>(() => _table.Apply(new RoutingChange.IngressSpec(broken)));
        Assert.Same(before, _table.Current);

        Apply(Told.Spec(version: 2, port: 81));
        Assert.Equal(81, _table.Current.Services[Told.Web].Ports[0].Port.Port);
    }

    [Fact]
    public void Services_are_found_by_their_addresses()
    {
        Apply(Told.Spec(), Told.Spec("api", "svc-2", clusterIP: "127.96.0.10"));
        Assert.Equal(Told.Web, _table.Current.ClusterIPs[IPAddress.Parse("127.96.0.9")]);

        Apply(Told.Spec("next", "svc-3"), new RoutingChange.ServiceRemoved(Told.Web, "svc-1"));
        Assert.Equal("next", _table.Current.ClusterIPs[IPAddress.Parse("127.96.0.9")].Name);
        Assert.Equal(2, _table.Current.ClusterIPs.Count);
    }

    [Fact]
    public void Only_Services_whose_route_changed_are_taken()
    {
        Apply(Told.Spec(), Told.Spec("api", "svc-2", clusterIP: "127.96.0.10"));
        Assert.Equal(2, _table.TakeChanged().Length);

        Apply(Told.Rows(Told.Row("a")));
        Assert.Equal([Told.Web], _table.TakeChanged());
        Assert.Empty(_table.TakeChanged());
    }

    [Fact]
    public void An_endpoint_of_a_silent_node_is_used_only_without_another()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("a", node: "n1"), Told.Row("b", 2, node: "n2")));

        Apply(new RoutingChange.NodeSilent("n1", true));
        Assert.Equal(["b"], Used());
        Apply(new RoutingChange.NodeSilent("n2", true));
        Assert.Equal(["a", "b"], Used());
        Apply(new RoutingChange.NodeSilent("n1", false));
        Assert.Equal(["a"], Used());
    }

    [Fact]
    public void A_registered_Pod_of_this_machine_is_used_only_while_the_Agent_holds_it_alive()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("mine", node: Here, registered: true), Told.Row("manifest", 2, node: Here)));
        Assert.Equal(["manifest"], Used());

        _table.ApplyLocal(Told.Local("mine"));
        Assert.Equal(["manifest", "mine"], Used());

        _table.ApplyLocal(Told.Local("mine", alive: false, liveness: 2));
        Apply(Told.Rows(Told.Row("mine", node: Here, registered: true, spec: 3, liveness: 7)));
        Assert.Equal(["manifest"], Used());

        _table.ForgetLocal("uid-mine-1");
        Assert.Equal(["manifest"], Used());
    }

    [Fact]
    public void The_Agents_word_on_readiness_wins_unless_the_control_plane_has_a_later_one()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("mine", node: Here, registered: true, liveness: 5)));
        _table.ApplyLocal(Told.Local("mine", ready: false, liveness: 6));
        Assert.Empty(Used());

        Apply(Told.Rows(Told.Row("mine", node: Here, registered: true, liveness: 7)));
        Assert.Equal(["mine"], Used());

        _table.ApplyLocal(Told.Local("mine", terminating: true, liveness: 8));
        var endpoint = Assert.Single(_table.Current.Services[Told.Web].Endpoints);
        Assert.Equal((false, true, true), (endpoint.Ready, endpoint.Serving, endpoint.Terminating));
    }

    [Fact]
    public void An_older_word_of_the_Agent_changes_nothing()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("mine", node: Here, registered: true)));
        _table.ApplyLocal(Told.Local("mine", alive: false, liveness: 4));
        var before = _table.Current;
        _table.ApplyLocal(Told.Local("mine", alive: true, liveness: 3));
        Assert.Same(before, _table.Current);
    }

    [Fact]
    public void After_a_resync_what_was_not_told_again_is_gone()
    {
        Apply(Told.Spec(), Told.Rows(Told.Row("a")), Told.Spec("api", "svc-2", clusterIP: "127.96.0.10"));
        Apply(new RoutingChange.NamespaceExists("default", true), new RoutingChange.NamespaceExists("old", true));
        Apply(new RoutingChange.NodeSilent("elsewhere", true));
        _table.BeginResync();
        Assert.Equal(2, _table.Current.Services.Count);

        Apply(Told.Spec(), new RoutingChange.NamespaceExists("default", true));
        _table.MarkSynced();

        Assert.Equal([Told.Web], _table.Current.Services.Keys);
        Assert.Equal(["default"], _table.Current.Namespaces);
        Assert.Equal(["a"], Used());
        Assert.True(_table.Current.IsSynced);
    }

    [Fact]
    public void After_a_resync_from_a_restored_store_the_older_version_is_the_truth()
    {
        Apply(Told.Spec(version: 9, port: 81));
        _table.BeginResync();
        Apply(Told.Spec(version: 3, port: 80));
        Assert.Equal(81, _table.Current.Services[Told.Web].Ports[0].Port.Port);

        _table.MarkSynced();
        Assert.Equal(80, _table.Current.Services[Told.Web].Ports[0].Port.Port);
    }

    private void Apply(params ReadOnlySpan<RoutingChange> changes)
    {
        foreach (var change in changes)
        {
            _table.Apply(change);
        }
    }

    private string[] Used() => [.. _table.Current.Services[Told.Web].Ports[0].Usable.Select(target => target.Endpoint.Pod.Name)];
}

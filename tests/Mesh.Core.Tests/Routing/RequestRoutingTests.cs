using System.Collections.Immutable;
using Mesh.Core.Ingresses;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Core.Tests.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Routing;

public class RequestRoutingTests
{
    private static readonly Ingress Shop = Rules.Of("shop", 1) with
    {
        Rules =
        [
            new IngressRule("shop.example",
            [
                Path("/web", new IngressBackend(Told.Web, 80, null)),
                Path("/named", new IngressBackend(Told.Web, 0, "http")),
                Path("/81", new IngressBackend(Told.Web, 81, null)),
                Path("/none", Rules.Backend("none")),
                Path("/bucket", null),
            ]),
        ],
    };

    [Theory]
    [Trait("Row", "ING-T10")]
    [InlineData("/web", false, true)]
    [InlineData("/none", false, true)]
    [InlineData("/elsewhere", false, false)]
    [InlineData("/web", true, false)]
    public void Plain_HTTP_is_sent_to_HTTPS_where_the_Ingress_asks_for_it(string path, bool isTls, bool isSent)
    {
        var table = Rules.Table(Shop with { RedirectsToHttps = true }, Rules.Of("other", 2, "other.example/"));
        var snapshot = new RoutingSnapshot { IsSynced = true, Services = Snapshot(Told.Row("a")).Services, Ingresses = table };
        var decided = RequestRouting.Decide(snapshot, "shop.example", path, isTls);
        Assert.Equal(isSent, decided is Forwarding.ToHttps);
    }

    [Fact]
    [Trait("Row", "ING-T10")]
    public void A_challenge_of_who_issues_certificates_is_answered_in_plain_HTTP()
    {
        var table = Rules.Table(Rules.Of("shop", 1, "shop.example/") with { RedirectsToHttps = true });
        var snapshot = new RoutingSnapshot { IsSynced = true, Ingresses = table };
        Assert.IsNotType<Forwarding.ToHttps>(RequestRouting.Decide(snapshot, "shop.example", "/.well-known/acme-challenge/x"));
        Assert.IsType<Forwarding.ToHttps>(RequestRouting.Decide(snapshot, "shop.example", "/.well-known/acme-challenges/x"));
    }

    [Theory]
    [Trait("Row", "ING-B01")]
    [Trait("Row", "ING-B02")]
    [InlineData("/web/x", "shop.example/web")]
    [InlineData("/named", "shop.example/named")]
    public void A_request_goes_to_the_port_of_its_rule_by_number_or_name(string path, string route)
    {
        var to = Assert.IsType<Forwarding.ToService>(Decide(Snapshot(Told.Row("a")), path));

        Assert.Equal(Told.Web, to.Service.Service.Name);
        Assert.Equal("127.80.0.1:8080", to.Port.Usable[0].Address.ToString());
        Assert.Equal((route, "shop"), (to.Route, to.Ingress.Name));
    }

    [Fact]
    [Trait("Row", "ING-B03")]
    public void A_missing_Service_is_unavailable() =>
        Refused("/none", RefusalReason.ServiceNotFound, RefusalClass.Unavailable, "Service default/none does not exist");

    [Fact]
    [Trait("Row", "ING-B04")]
    public void A_missing_port_is_unavailable() =>
        Refused("/81", RefusalReason.ServicePortNotFound, RefusalClass.Unavailable, "Service default/web has no port 81; it has 80 (http)");

    [Fact]
    [Trait("Row", "ING-B09")]
    public void A_backend_that_is_no_Service_is_unavailable() =>
        Refused(
            "/bucket", RefusalReason.ServiceNotFound, RefusalClass.Unavailable, "Ingress default/shop: the backend of shop.example/bucket is not a Service");

    [Fact]
    [Trait("Row", "ING-B05")]
    public void Pods_that_are_not_ready_are_counted()
    {
        var (a, b) = (Told.Row("a", ready: false), Told.Row("b", 2, ready: false));
        Refused("/web", RefusalReason.NoReadyEndpoints, RefusalClass.Unavailable, "Service default/web: 0 of 2 Pods ready", a, b);
        Refused("/web", RefusalReason.NoReadyEndpoints, RefusalClass.Unavailable, "Service default/web: 0 of 1 Pod ready", a);
    }

    [Fact]
    [Trait("Row", "ING-B06")]
    public void A_Pod_that_still_serves_while_it_terminates_is_the_last_resort() =>
        Assert.IsType<Forwarding.ToService>(Decide(Snapshot(Told.Row("a", terminating: true)), "/web"));

    [Fact]
    public void A_selector_that_matches_nothing_is_shown() =>
        Refused("/web", RefusalReason.NoEndpoints, RefusalClass.Unavailable, "Service default/web: no Pod matches app=web");

    [Fact]
    public void A_target_port_that_no_Pod_has_is_named() =>
        Refused(
            "/web",
            RefusalReason.NoEndpoints,
            RefusalClass.Unavailable,
            "Service default/web: none of 1 Pod has the target port of 80 (http)",
            Told.Row("a") with { Ports = [] });

    [Fact]
    public void Misses_are_not_found_and_name_the_nearest()
    {
        Refused("/wbe", RefusalReason.NoMatchingPath, RefusalClass.NotFound, "no rule for path /wbe of host shop.example; nearest /web");
        var refuse = Assert.IsType<Forwarding.Refuse>(RequestRouting.Decide(Snapshot(), "shop.exmaple:8080", "/"));
        Assert.Equal((RefusalReason.NoMatchingHost, "no rule for host shop.exmaple:8080; nearest shop.example"), (refuse.Reason, refuse.Text));
    }

    [Fact]
    public void What_a_client_sent_is_repeated_only_so_far()
    {
        var refuse = Assert.IsType<Forwarding.Refuse>(Decide(Snapshot(), "/" + new string('x', 5_000)));
        Assert.InRange(refuse.Text.Length, 100, 200);
    }

    [Theory]
    [InlineData("*", RefusalReason.MalformedRequest)]
    [InlineData("", RefusalReason.MalformedRequest)]
    [InlineData("/%zz", RefusalReason.MalformedRequest)]
    [InlineData("/web/%2e%2e/none", RefusalReason.DotSegmentInPath)]
    public void A_bad_path_is_the_clients_fault(string path, RefusalReason reason)
    {
        var refuse = Assert.IsType<Forwarding.Refuse>(Decide(Snapshot(Told.Row("a")), path));
        Assert.Equal((reason, RefusalClass.BadRequest), (refuse.Reason, refuse.Class));
    }

    [Fact]
    [Trait("Row", "ING-D05")]
    public void Before_it_is_synced_a_table_says_unavailable_and_never_not_found()
    {
        var snapshot = Snapshot(Told.Row("a"));
        var unsynced = new RoutingSnapshot { Services = snapshot.Services, Ingresses = snapshot.Ingresses };

        Assert.IsType<Forwarding.ToService>(Decide(unsynced, "/web"));
        foreach (var path in new[] { "/none", "/nothing" })
        {
            var refuse = Assert.IsType<Forwarding.Refuse>(Decide(unsynced, path));
            Assert.Equal((RefusalReason.NotSynced, RefusalClass.Unavailable), (refuse.Reason, refuse.Class));
        }
    }

    [Fact]
    public void Endpoints_that_are_not_known_yet_are_not_called_missing()
    {
        var table = Table();
        table.Apply(Told.Spec());
        table.MarkSynced();
        var refuse = Assert.IsType<Forwarding.Refuse>(Decide(table.Current, "/web"));
        Assert.Equal((RefusalReason.NotSynced, "Service default/web: its endpoints are not known yet"), (refuse.Reason, refuse.Text));
    }

    [Fact]
    public void A_Service_without_selector_and_an_ExternalName_say_so()
    {
        Assert.Equal("Service default/web has no selector and no endpoints", Text(new Service { Name = Told.Web, Uid = "u", ResourceVersion = 1 }));
        Assert.Contains(
            "ExternalName",
            Text(new Service { Name = Told.Web, Uid = "u", ResourceVersion = 1, Type = ServiceType.ExternalName, ExternalName = "x.org" }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_forwarded_request_allocates_its_result_only()
    {
        var snapshot = Snapshot(Told.Row("a"));
        Decide(snapshot, "/web/x");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decide(snapshot, "/web/x");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 48);
    }

    private static string Text(Service service)
    {
        var port = new PortRoute(new ServicePort("", TransportProtocol.Tcp, 80, new TargetPort.Number(80)), []);
        var route = new ServiceRoute { Service = service, Endpoints = [], Ports = [port], IsSynced = true };
        return RefusalText.Of(RequestRouting.ReasonFor(route, port), route, port);
    }

    private static void Refused(string path, RefusalReason reason, RefusalClass kind, string text, params ImmutableArray<Endpoint> rows)
    {
        var refuse = Assert.IsType<Forwarding.Refuse>(Decide(Snapshot(rows), path));
        Assert.Equal((reason, kind, text), (refuse.Reason, refuse.Class, refuse.Text));
    }

    private static Forwarding Decide(RoutingSnapshot snapshot, string path) => RequestRouting.Decide(snapshot, "shop.example", path);

    private static IngressPath Path(string path, IngressBackend? backend) => new(path, PathType.Prefix, backend);

    private static RoutingSnapshot Snapshot(params ImmutableArray<Endpoint> rows)
    {
        var table = Table();
        table.Apply(Told.Spec());
        table.Apply(Told.Full(isSynced: true, rows));
        table.MarkSynced();
        return new RoutingSnapshot { IsSynced = true, Services = table.Current.Services, Ingresses = IngressTable.Empty.With(Shop) };
    }

    private static RoutingTable Table()
    {
        var table = new RoutingTable("here");
        table.Apply(new RoutingChange.IngressSpec(new ObjectDocument(Shop.Name, "shop", 1, 1, Json.Utf8(
            """
            {"kind":"Ingress","metadata":{"name":"shop","namespace":"default"},"spec":{"rules":[{"host":"shop.example",
              "http":{"paths":[{"path":"/web","pathType":"Prefix","backend":{"service":{"name":"web","port":{"number":80}}}}]}}]}}
            """))));
        return table;
    }
}

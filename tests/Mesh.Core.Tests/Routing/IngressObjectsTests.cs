using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>Which Ingresses reach the snapshot as their documents change.</summary>
public class IngressObjectsTests
{
    private const string Protected = "\"nginx.ingress.kubernetes.io/auth-type\":\"basic\"";

    private const string Unprotected = Protected + ",\"mesh.internal/route-unprotected\":\"true\"";

    private static readonly NamespacedName Shop = NamespacedName.Of("default", "shop");

    private readonly RoutingTable _table = new("here");

    [Fact]
    public void An_annotation_that_asks_for_protection_stops_routing_and_its_removal_starts_it()
    {
        Assert.True(IsRouted(Told(1, "")));
        Assert.False(IsRouted(Told(2, Protected)));
        Assert.True(IsRouted(Told(3, Unprotected)));
        Assert.False(IsRouted(Told(4, Protected)));
        Assert.False(IsRouted(Told(3, Unprotected)));
        Assert.True(IsRouted(Told(5, "")));
    }

    [Fact]
    public void Nothing_of_it_is_left_also_no_default_backend_and_no_claim_against_younger_ones()
    {
        _table.Apply(Told(1, Protected));
        _table.Apply(Told(2, "", name: "younger", created: 2));

        Assert.Equal(["default/younger"], _table.Current.Ingresses.Ingresses.Select(ingress => ingress.Name.ToString()));
        Assert.Equal("younger", Found("shop.example.com", "/"));
        Assert.Null(Found("other.example.com", "/"));
    }

    [Fact]
    public void A_resync_keeps_it_out_and_its_removal_is_final()
    {
        _table.Apply(Told(1, Protected));
        _table.BeginResync();
        _table.Apply(Told(1, Protected));
        _table.MarkSynced();
        Assert.Empty(_table.Current.Ingresses.Ingresses);

        _table.Apply(new RoutingChange.IngressRemoved(Shop, "u-shop"));
        Assert.False(IsRouted(Told(2, "")));
    }

    [Fact]
    public void An_older_version_that_is_told_in_a_resync_is_judged_by_itself()
    {
        Assert.True(IsRouted(Told(5, "")));
        _table.BeginResync();
        _table.Apply(Told(3, Protected)); // a restored backup
        _table.MarkSynced();

        Assert.Empty(_table.Current.Ingresses.Ingresses);
    }

    [Fact]
    [Trait("Row", "ING-K03")]
    [Trait("Row", "ING-K07")]
    public void A_class_that_comes_and_goes_takes_its_Ingresses_with_it()
    {
        const string Other = "\"kubernetes.io/ingress.class\":\"other\"";
        Assert.False(IsRouted(Told(1, Other)));
        Assert.False(IsRouted(new RoutingChange.IngressClass("another", true)));
        Assert.True(IsRouted(new RoutingChange.IngressClass("other", true)));
        Assert.False(IsRouted(new RoutingChange.IngressClass("other", false)));
        Assert.True(IsRouted(new RoutingChange.IngressClass("other", true)));

        _table.BeginResync();
        _table.Apply(Told(1, Other));
        _table.MarkSynced(); // the class was not told again

        Assert.Empty(_table.Current.Ingresses.Ingresses);
        Assert.True(IsRouted(Told(2, "\"kubernetes.io/ingress.class\":\"mesh\"")));
    }

    private bool IsRouted(RoutingChange change)
    {
        _table.Apply(change);
        return Found("shop.example.com", "/") is not null;
    }

    private string? Found(string host, string path) => (_table.Current.Ingresses.Match(host, path) as IngressMatch.Found)?.Ingress.Name;

    private static RoutingChange.IngressSpec Told(long version, string annotations, string name = "shop", long created = 1) => new(new ObjectDocument(
        NamespacedName.Of("default", name), "u-" + name, version, created, Json.Utf8(
            $$$$"""
            {"kind":"Ingress","metadata":{"name":"{{{{name}}}}","namespace":"default","uid":"u-{{{{name}}}}","resourceVersion":"{{{{version}}}}","annotations":{{{{{annotations}}}}}},
             "spec":{{{{{(name == "shop" ? "\"defaultBackend\":{\"service\":{\"name\":\"a\",\"port\":{\"number\":80}}}," : "")}}}}"rules":[{"host":"shop.example.com","http":{"paths":[
              {"path":"/","pathType":"Prefix","backend":{"service":{"name":"a","port":{"number":80} } } } ] } } ] } }
            """)));
}

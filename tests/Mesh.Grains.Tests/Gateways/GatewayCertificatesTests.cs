using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Gateways;
using Mesh.Storage;
using Mesh.Testing.Certificates;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

/// <summary>A node is told the certificates of Secrets that routed Ingresses of their namespace name, and nothing of any other Secret.</summary>
public sealed class GatewayCertificatesTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly GatewayCertificates _certificates = new(most: 2);
    private long _version;

    public void Dispose() => _authority.Dispose();

    [Fact]
    [Trait("Row", "ING-T04")]
    [Trait("Row", "ING-T06")]
    public void A_Secret_is_told_while_an_Ingress_names_it_and_it_can_be_shown()
    {
        var (one, two) = (_authority.Issue("a.test"), _authority.Issue("a.test"));
        Assert.Empty(Secret("t", one));
        Assert.Equal($"t {one.Key}", Told(Ingress("shop", "t")));
        Assert.Empty(Secret("t", one)); // a label of it changed
        Assert.Equal($"t {two.Key}", Told(Secret("t", two)));
        Assert.Equal("t gone", Told(Secret("t", two with { Key = one.Key })));
        Assert.Equal($"t {one.Key}", Told(Secret("t", one)));
        Assert.Equal("t gone", Told(Apply("", "Secret", "t", "", isGone: true)));
        Assert.Equal($"t {one.Key}", Told(Secret("t", one)));
        Assert.Equal("t gone", Told(Ingress("shop", "another")));
    }

    [Fact]
    [Trait("Row", "REL-S13")]
    public void Two_that_name_it_are_each_enough_and_another_namespace_is_not()
    {
        Secret("t", _authority.Issue("a.test"));
        Assert.Empty(Ingress("stranger", "t", ns: "elsewhere"));
        Assert.Single(Ingress("shop", "t"));
        Assert.Empty(Ingress("second", "t"));
        Assert.Empty(Apply(Kinds.NetworkingGroup, "Ingress", "shop", "", isGone: true));
        Assert.Equal("t gone", Told(Apply(Kinds.NetworkingGroup, "Ingress", "second", "", isGone: true)));
    }

    [Fact]
    [Trait("Row", "ING-K02")]
    [Trait("Row", "ING-K07")]
    public void An_Ingress_of_another_controllers_class_sends_no_Secret_until_the_class_is_Meshs()
    {
        Secret("t", _authority.Issue("a.test"));
        Assert.Empty(Ingress("shop", "t", "\"ingressClassName\":\"some-invalid-class-name\","));
        Assert.Empty(Class("some-invalid-class-name", "other.example/controller"));
        Assert.Single(Class("some-invalid-class-name", "mesh.internal/ingress"));
        Assert.Equal("t gone", Told(Class("some-invalid-class-name", "other.example/controller")));
    }

    [Fact]
    public void Beyond_the_limit_those_of_the_oldest_Ingresses_are_told_and_the_next_when_one_goes()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            Secret(name, _authority.Issue("a.test"));
        }

        Assert.Single(Ingress("one", "a"));
        Assert.Single(Ingress("two", "b"));
        Assert.Empty(Ingress("three", "c"));
        var changes = Apply(Kinds.NetworkingGroup, "Ingress", "one", "", isGone: true);
        Assert.Equal(["a gone", "c"], changes.Select(change => Told([change]).Split(' ') is [var name, "gone"] ? $"{name} gone" : Told([change])[..1]).Order());
    }

    private static string Told(IReadOnlyList<RoutingChange> changes) => Assert.Single(changes) switch
    {
        RoutingChange.Certificate told => $"{told.Object.Name.Name} {Key(told)}",
        RoutingChange.CertificateRemoved gone => $"{gone.Secret.Name} gone",
        var other => throw new InvalidOperationException($"{other}"),
    };

    private static string Key(RoutingChange.Certificate told)
    {
        var pem = Encoding.ASCII.GetString(told.Object.Document.Span);
        return pem[pem.IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal)..];
    }

    private IReadOnlyList<RoutingChange> Secret(string name, TestCertificate pair) => Apply("", "Secret", name, pair.Secret("default", name, more: "\"password\":\"aHVudGVyMg==\","));

    private IReadOnlyList<RoutingChange> Class(string name, string controller) =>
        Apply(Kinds.NetworkingGroup, "IngressClass", name, $$$"""{"kind":"IngressClass","metadata":{"name":"{{{name}}}"},"spec":{"controller":"{{{controller}}}"} }""", ns: "");

    private IReadOnlyList<RoutingChange> Ingress(string name, string secret, string more = "", string ns = "default") => Apply(
        Kinds.NetworkingGroup,
        "Ingress",
        name,
        $$$"""
        {"kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"{{{ns}}}","uid":"u"},
         "spec":{ {{{more}}}"tls":[{"hosts":["a.test"],"secretName":"{{{secret}}}"}],"defaultBackend":{"service":{"name":"web","port":{"number":80} } } } }
        """,
        ns: ns);

    private IReadOnlyList<RoutingChange> Apply(string group, string kind, string name, string document, bool isGone = false, string ns = "default")
    {
        var version = ++_version;
        return _certificates.Apply(new StoredObject(new ObjectKey(group, kind, ns, name), "u", version, version, false, Encoding.UTF8.GetBytes(document)), isGone);
    }
}

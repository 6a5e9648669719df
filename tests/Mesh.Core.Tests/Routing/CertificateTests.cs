using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>Which certificates reach the snapshot as they are told.</summary>
public class CertificateTests
{
    private static readonly NamespacedName Secret = NamespacedName.Of("default", "t");

    private readonly RoutingTable _table = new("here");

    public CertificateTests()
    {
        _table.Apply(new RoutingChange.IngressSpec(new ObjectDocument(NamespacedName.Of("default", "shop"), "i", 1, 1, Json.Utf8(
            """
            {"kind":"Ingress","metadata":{"name":"shop","namespace":"default","uid":"i","resourceVersion":"1"},
             "spec":{"tls":[{"hosts":["shop.test"],"secretName":"t"},{"hosts":["plain.test"]}],"defaultBackend":{"service":{"name":"web","port":{"number":80} } } } }
            """))));
        _table.Apply(new RoutingChange.DefaultCertificate(Json.Utf8("default")));
    }

    [Fact]
    [Trait("Row", "ING-T02")]
    [Trait("Row", "ING-T06")]
    [Trait("Row", "ING-T08")]
    public void The_default_certificate_is_shown_until_the_Secret_is_told_and_when_it_is_gone()
    {
        Assert.Equal("default", Shown("shop.test"));
        _table.Apply(Told("one"));
        Assert.Equal(("one", "default", "default"), (Shown("shop.test"), Shown("plain.test"), Shown("")));
        _table.Apply(new RoutingChange.CertificateRemoved(Secret));
        Assert.Equal("default", Shown("shop.test"));

        // A Secret that was mended is the object it was: no tombstone keeps it out.
        _table.Apply(Told("mended", version: 3));
        Assert.Equal("mended", Shown("shop.test"));
    }

    [Fact]
    [Trait("Row", "ING-T05")]
    public void An_older_word_changes_nothing_and_the_same_certificate_keeps_its_object()
    {
        _table.Apply(Told("two", version: 2));
        _table.Apply(Told("one", version: 1));
        Assert.Equal("two", Shown("shop.test"));

        var (snapshot, shown, other) = (_table.Current, _table.Current.Tls.Find("shop.test"), _table.Current.Tls.Default);
        _table.Apply(Told("two", version: 5));
        _table.Apply(new RoutingChange.DefaultCertificate(Json.Utf8("default")));
        Assert.Same(snapshot, _table.Current);
        _table.Apply(Told("three", version: 6));
        Assert.NotSame(shown, _table.Current.Tls.Find("shop.test"));
        Assert.Same(other, _table.Current.Tls.Default);
    }

    [Fact]
    public void What_a_resync_does_not_tell_again_goes_and_the_default_stays()
    {
        _table.Apply(Told("one"));
        _table.BeginResync();
        Assert.Equal("one", Shown("shop.test"));
        _table.MarkSynced(); // the Ingress was not told again either, so nothing names it
        Assert.Empty(_table.Current.Tls.Certificates);
        Assert.Equal("default", Shown("shop.test"));
    }

    [Fact]
    public void After_a_restored_backup_the_older_certificate_is_the_truth()
    {
        _table.Apply(Told("new", version: 9));
        _table.BeginResync();
        _table.Apply(Told("old", version: 3));
        Assert.Equal("new", Encoding.UTF8.GetString(_table.Current.Tls.Certificates[Secret].Pem.Span));
        _table.MarkSynced();
        Assert.Equal("old", Encoding.UTF8.GetString(_table.Current.Tls.Certificates[Secret].Pem.Span));
    }

    private static RoutingChange.Certificate Told(string pem, long version = 1) => new(new ObjectDocument(Secret, "u1", version, 1, Json.Utf8(pem)));

    private string Shown(string name) => Encoding.UTF8.GetString(_table.Current.Tls.Find(name)!.Pem.Span);
}

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Core.Routing;
using Mesh.NodeLink.Journal;
using Xunit;
using static Mesh.NodeLink.Tests.Journal.SomeChanges;

namespace Mesh.NodeLink.Tests.Journal;

/// <summary>What a node needs to answer HTTPS again without a silo.</summary>
public sealed class JournaledCertificatesTests
{
    [Fact(Timeout = 30_000)]
    public async Task Certificates_are_kept_as_told_and_the_default_one_until_another_is()
    {
        using var place = new Place();
        var secret = Told("t", "u1", 3);
        await using (var journal = Open(place.Journal))
        {
            journal.Keep([Told("gone", "u", 1), secret, new RoutingChange.DefaultCertificate("one"u8.ToArray())], synced: true);
            journal.BeginResync();
            journal.Keep([secret], synced: true);
        }

        await using (var journal = Open(place.Journal))
        {
            Assert.Equal(["3 t key of t", "default one"], Kept(journal));
            journal.Keep([new RoutingChange.CertificateRemoved(Name("t")), new RoutingChange.DefaultCertificate("two"u8.ToArray())], synced: false);
        }

        await using var last = Open(place.Journal);
        Assert.Equal(["default two"], Kept(last));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.Journal));
    }

    [Fact(Timeout = 30_000)]
    public async Task Options_of_a_build_that_served_no_HTTPS_are_read_and_name_no_address_for_it()
    {
        using var place = new Place();
        var document = JsonNode.Parse(NodeOptionsDocument.Write(FakeSilo.Options))!.AsObject();
        Assert.True(document.Remove("ingressHttps"));
        await using (var journal = Open(place.Journal))
        {
            journal.Keep(NodeOptionsDocument.Read(Encoding.UTF8.GetBytes(document.ToJsonString())));
        }

        await using var next = Open(place.Journal);
        Assert.Equal(("127.0.0.1:0", null), (next.Options!.IngressHttp, next.Options.IngressHttps));
        Assert.NotNull(next.Options.ForEndpoints([IPAddress.Loopback]));
    }

    private static IEnumerable<string> Kept(NodeJournal journal) => journal.Changes.Select(change => change switch
    {
        RoutingChange.Certificate { Object: var told } => $"{told.ResourceVersion} {told.Name.Name} {Encoding.UTF8.GetString(told.Document.Span)}",
        RoutingChange.DefaultCertificate other => "default " + Encoding.UTF8.GetString(other.Pem.Span),
        _ => $"{change}",
    }).Order(StringComparer.Ordinal);

    private static RoutingChange.Certificate Told(string name, string uid, long version) =>
        new(new ObjectDocument(Name(name), uid, version, 1, Encoding.UTF8.GetBytes("key of " + name)));
}

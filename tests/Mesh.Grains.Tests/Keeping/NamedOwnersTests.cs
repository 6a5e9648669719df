using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Keeping;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

/// <summary>Which changes make a namespace worth a look: most deletions leave nothing behind.</summary>
[Collection(ClusterGroup.Name)]
public class NamedOwnersTests(SharedCluster shared)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private MeshTestCluster Cluster => shared.Cluster;

    [Fact(Timeout = 60_000)]
    public async Task A_deletion_is_looked_into_when_something_names_what_went_or_an_owner_may_wait_for_it()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.PutAsync(new ObjectKey("", "ConfigMap", ns, "owner"), $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"owner","namespace":"{{{ns}}}","uid":"{{{ns}}}-owner"}}""");
        await Cluster.PutAsync(new ObjectKey("", "Secret", ns, "owned"), Document($"{ns}-owned", $"{ns}-owner"));
        var garbage = new OwnedGarbage(Cluster.Cache(), null!, Some.Kinds);
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, "plain"))); // nobody has looked yet

        await garbage.CollectAsync(null, static _ => false, Stop);
        Assert.Null(garbage.LookAfter(Deleted(ns, "plain")));
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, $"{ns}-owner")));
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, "other", "its-owner")));
        Assert.Null(garbage.LookAfter(Deleted(ns, "its-owner")));

        var added = Change(StoreChangeType.Added, ns, "late", "named-since");
        Assert.Equal(ns, garbage.LookAfter(added)); // its owner may be missing already
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, "named-since")));
        Assert.Null(garbage.LookAfter(added with { Type = StoreChangeType.Modified, Previous = added.Object }));

        await garbage.CollectAsync(ns, static _ => false, Stop);
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, "named-since"))); // only a look everywhere knows that nothing names it
        await garbage.CollectAsync(null, static _ => false, Stop);
        Assert.Null(garbage.LookAfter(Deleted(ns, "named-since")));
        Assert.Equal(ns, garbage.LookAfter(Deleted(ns, $"{ns}-owner")));
    }

    private static StoreChange Deleted(string ns, string uid, params string[] owners) => Change(StoreChangeType.Deleted, ns, uid, owners);

    private static StoreChange Change(StoreChangeType type, string ns, string uid, params string[] owners) => new(
        type,
        new StoredObject(new ObjectKey("", "Secret", ns, uid), uid, 1, 1, IsDeleting: false, Encoding.UTF8.GetBytes(Document(uid, owners))),
        Previous: null);

    private static string Document(string uid, params string[] owners) =>
        $$$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"any","uid":"{{{uid}}}","ownerReferences":[{{{string.Join(',', owners.Select(Reference))}}}]}}""";

    private static string Reference(string uid) => $$"""{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{uid}}"}""";
}

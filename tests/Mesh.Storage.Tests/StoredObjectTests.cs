using System.Text;
using Mesh.Core.Names;

namespace Mesh.Storage.Tests;

/// <summary>What is read of a document once for all who ask.</summary>
public sealed class StoredObjectTests
{
    [Fact]
    public void Labels_owners_and_fields_are_what_the_document_says()
    {
        var stored = Stored("""
            {"metadata":{"labels":{"app":"web","odd":1,"tier":""},"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"n","uid":"o","controller":true},7,
            {"kind":"Secret","uid":"p","blockOwnerDeletion":true}]},"spec":{"nodeName":"n1","hostNetwork":true,"count":3,"list":[1],"no":null}}
            """);
        Assert.Equal(("web", "", null, null), (stored.Label("app"), stored.Label("tier"), stored.Label("odd"), stored.Label("none")));
        Assert.Equal([new OwnerReference("v1", "Pod", "n", "o", false), new OwnerReference("", "Secret", "", "p", true)], stored.Owners);
        Assert.Equal(["n1", "true", "3", "", "", "", ""], new[] { "spec.nodeName", "spec.hostNetwork", "spec.count", "spec.list", "spec.no", "spec.none", "spec.nodeName.deep" }.Select(stored.Field));
        Assert.Equal(["n1", "true"], new[] { "spec.nodeName", "spec.hostNetwork" }.Select(stored.Field)); // and again
    }

    [Theory]
    [InlineData("""{"metadata":{"labels":["app"],"ownerReferences":{}},"spec":7}""")]
    [InlineData("""{"metadata":{"labels":{"\ud800":"\ud800","app":"\ud800"},"ownerReferences":[]},"spec":{"nodeName":"\ud800"}}""")]
    [InlineData("""{}""")]
    public void What_is_no_label_owner_or_text_reads_as_none(string document)
    {
        var stored = Stored(document);
        Assert.True(string.IsNullOrEmpty(stored.Label("app")));
        Assert.Empty(stored.Owners);
        Assert.Equal("", stored.Field("spec.nodeName"));
    }

    [Fact]
    public void A_copy_with_another_document_is_read_anew_and_what_was_read_makes_no_difference()
    {
        var stored = Stored("""{"metadata":{"labels":{"app":"web"}},"spec":{"nodeName":"n1"}}""");
        var same = stored with { };
        Assert.Equal(("web", "n1"), (stored.Label("app"), stored.Field("spec.nodeName")));
        Assert.Equal(same, stored);
        Assert.Equal(same.GetHashCode(), stored.GetHashCode());

        var other = stored with { Document = """{"spec":{"nodeName":"n2"}}"""u8.ToArray() };
        Assert.Equal((null, "n2"), (other.Label("app"), other.Field("spec.nodeName")));
    }

    [Fact]
    public void Texts_that_many_documents_have_alike_are_kept_once()
    {
        const string Document = """{"metadata":{"labels":{"app":"a-text-that-is-kept-once"}},"spec":{"nodeName":"a-node-that-is-kept-once"}}""";
        var (one, two) = (Stored(Document), Stored(Document));
        Assert.Same(one.Label("app"), two.Label("app"));
        Assert.Same(one.Field("spec.nodeName"), two.Field("spec.nodeName"));
    }

    private static StoredObject Stored(string document) => new(new ObjectKey("", "Pod", "ns", "a"), "u", 1, 1, false, Encoding.UTF8.GetBytes(document));
}

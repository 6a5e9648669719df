using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class IngressParserTests
{
    [Fact]
    public void A_full_document_becomes_a_record()
    {
        var ingress = Parse(
            """
            {"kind":"Ingress","metadata":{"name":"i","namespace":"n","uid":"u","resourceVersion":"8"},
             "spec":{"ingressClassName":"mesh",
              "defaultBackend":{"service":{"name":"fallback","port":{"number":80}}},
              "rules":[{"host":"a.example","http":{"paths":[
                {"path":"/x","pathType":"Exact","backend":{"service":{"name":"web","port":{"name":"http"}}}},
                {"pathType":"ImplementationSpecific","backend":{"resource":{"kind":"Bucket","name":"b"}}}]}},
               {"host":"b.example"}]}}
            """);

        Assert.Equal("mesh", ingress.ClassName);
        Assert.Equal(new IngressBackend(NamespacedName.Of("n", "fallback"), 80, null), ingress.DefaultBackend);
        Assert.Equal("a.example", ingress.Rules[0].Host);
        Assert.Equal(new IngressPath("/x", PathType.Exact, new IngressBackend(NamespacedName.Of("n", "web"), 0, "http")), ingress.Rules[0].Paths[0]);
        Assert.Equal(new IngressPath("", PathType.ImplementationSpecific, null), ingress.Rules[0].Paths[1]);
        Assert.Empty(ingress.Rules[1].Paths);
    }

    [Fact]
    [Trait("Row", "ING-K06")]
    public void The_legacy_annotation_wins_over_the_field() =>
        Assert.Equal("old", Parse(
            """
            {"metadata":{"name":"i","namespace":"n","annotations":{"kubernetes.io/ingress.class":"old"}},
             "spec":{"ingressClassName":"new"}}
            """).ClassName);

    [Theory]
    [InlineData("""{"metadata":{"name":"i","namespace":"n"},"spec":{"rules":[{"http":{"paths":[{"path":"/","pathType":"Foo"}]}}]}}""")]
    [InlineData("""{"metadata":{"name":"i","namespace":"n"},"spec":{"defaultBackend":{"service":{"name":"x","port":{}}}}}""")]
    [InlineData("""{"metadata":{"name":"i","namespace":"n"},"spec":{"rules":["x"]}}""")]
    public void What_is_not_an_admitted_Ingress_is_refused(string document) => Assert.Throws<FormatException>(() => Parse(document));

    private static Ingress Parse(string json) => IngressParser.Parse(Json.Utf8(json), 5);
}

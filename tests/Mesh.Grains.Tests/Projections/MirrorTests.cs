using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Projections;
using Mesh.Grains.Services;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;
using Xunit;

namespace Mesh.Grains.Tests.Projections;

public class MirrorTests
{
    private static readonly NamespacedName Name = NamespacedName.Of("shop", "web");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly Random _random = new(1);

    [Fact]
    [Trait("Row", "SVC-E1")]
    [Trait("Row", "SVC-E2")]
    [Trait("Row", "SVC-E3")]
    [Trait("Row", "SVC-E14")]
    public void A_service_that_selects_nothing_has_one_empty_slice_with_its_labels_and_owner()
    {
        var slice = Assert.Single(Slices(Mirror()));
        Assert.Empty(slice.GetProperty("endpoints").EnumerateArray());
        Assert.Empty(slice.GetProperty("ports").EnumerateArray());
        var metadata = slice.GetProperty("metadata");
        Assert.Matches("^web-[a-z0-9]{5}$", metadata.GetProperty("name").GetString());
        Assert.Equal("web-", metadata.GetProperty("generateName").GetString());
        Assert.Equal(
            """{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"web","team":"soup"}""",
            metadata.GetProperty("labels").GetRawText());
        Assert.Equal(
            """[{"apiVersion":"v1","kind":"Service","name":"web","uid":"uid-web","controller":true,"blockOwnerDeletion":true}]""",
            metadata.GetProperty("ownerReferences").GetRawText());
        Assert.Equal("2026-01-02T03:04:05.0000000Z", metadata.GetProperty("annotations").GetProperty("endpoints.kubernetes.io/last-change-trigger-time").GetString());
    }

    [Fact]
    [Trait("Row", "SVC-E4")]
    public void Slices_hold_100_endpoints_and_shrinking_moves_nothing()
    {
        var mirrored = Mirror([.. Enumerable.Range(0, 250).Select(n => Endpoint($"p{n:000}"))]);
        var slices = Slices(mirrored);
        Assert.Equal([50, 100, 100], slices.Select(Count).Order());
        var fewer = mirrored with { Rows = [.. mirrored.Rows.Where(row => row.PodName != "p007")] };
        var (wanted, obsolete) = SliceSet.Plan(fewer, [.. slices.Select(Stored)]);
        Assert.Empty(obsolete);
        Assert.Equal([50, 99, 100], wanted.Select(slice => slice.Rows.Count).Order());
        Assert.Single(wanted, slice => slice.IsChanged);
    }

    [Fact]
    [Trait("Row", "SVC-E5")]
    public void Endpoints_of_different_ports_stand_in_different_slices()
    {
        var slices = Slices(Mirror(Endpoint("a", port: 3000), Endpoint("b", port: 3001), Endpoint("c", port: 3000)));
        Assert.Equal([(3000, 2), (3001, 1)], slices.Select(slice => (slice.GetProperty("ports")[0].GetProperty("port").GetInt32(), Count(slice))).Order());
        Assert.All(slices, slice => Assert.Equal("http", slice.GetProperty("ports")[0].GetProperty("name").GetString()));
    }

    [Theory]
    [Trait("Row", "SVC-E8")]
    [Trait("Row", "SVC-E9")]
    [InlineData(true, false, false, true, true)]
    [InlineData(false, false, false, false, false)]
    [InlineData(true, true, false, false, true)]
    [InlineData(false, true, true, true, false)]
    [InlineData(false, false, true, true, false)]
    public void Conditions_follow_readiness_termination_and_publishing(bool podReady, bool terminating, bool publishes, bool ready, bool serving)
    {
        var service = Parse(publishes ? "\"publishNotReadyAddresses\":true," : "");
        var row = EndpointSource.RowOf(service, Some.Row("a", 1, 1, podReady) with { IsTerminating = terminating });
        var conditions = Assert.Single(Slices(Mirror(row)))
            .GetProperty("endpoints")[0].GetProperty("conditions").GetRawText();
        Assert.Equal(JsonSerializer.Serialize(new { ready, serving, terminating }), conditions);
    }

    [Fact]
    [Trait("Row", "SVC-E10")]
    public void An_endpoint_names_its_address_node_zone_and_pod()
    {
        var endpoint = Assert.Single(Slices(Mirror(Endpoint("a")))).GetProperty("endpoints")[0];
        Assert.Equal("""["127.80.0.1"]""", endpoint.GetProperty("addresses").GetRawText());
        Assert.Equal(("n1", "zone-of-n1"), (endpoint.GetProperty("nodeName").GetString(), endpoint.GetProperty("zone").GetString()));
        Assert.Equal("""{"kind":"Pod","namespace":"shop","name":"a","uid":"uid-a-1"}""", endpoint.GetProperty("targetRef").GetRawText());
    }

    [Fact]
    [Trait("Row", "SVC-E17")]
    public void What_says_the_same_is_not_written_again_and_one_flip_changes_one_slice()
    {
        var mirrored = Mirror([.. Enumerable.Range(0, 150).Select(n => Endpoint($"p{n:000}"))]);
        StoredObject[] stored = [.. Slices(mirrored).Select(Stored)];
        var documents = Documents(mirrored);
        Assert.All(SliceSet.Plan(mirrored, stored).Wanted, slice => Assert.Null(documents.Slice(slice)));
        var flipped = mirrored with { Rows = [.. mirrored.Rows.Select(row => row.PodName == "p003" ? row with { IsReady = false } : row)] };
        Assert.Single(SliceSet.Plan(flipped, stored).Wanted, slice => Documents(flipped).Slice(slice) is not null);
    }

    [Fact]
    [Trait("Row", "SVC-M1")]
    public void Endpoints_are_grouped_by_ports_and_readiness_and_leave_terminating_pods_out()
    {
        var root = EndpointsOf(Mirror(
            Endpoint("a"), Endpoint("b") with { IsReady = false }, Endpoint("c") with { IsReady = false, IsTerminating = true }, Endpoint("d", port: 3001)));
        Assert.Equal("""{"team":"soup"}""", root.GetProperty("metadata").GetProperty("labels").GetRawText());
        var subsets = root.GetProperty("subsets").EnumerateArray().ToArray();
        Assert.Equal(2, subsets.Length);
        Assert.Equal("a", subsets[1].GetProperty("addresses")[0].GetProperty("targetRef").GetProperty("name").GetString());
        Assert.Equal("b", subsets[1].GetProperty("notReadyAddresses")[0].GetProperty("targetRef").GetProperty("name").GetString());
        Assert.Equal(1, subsets[1].GetProperty("notReadyAddresses").GetArrayLength());
        Assert.False(subsets[0].TryGetProperty("notReadyAddresses", out _));
    }

    [Fact]
    [Trait("Row", "SVC-M1")]
    public void Endpoints_over_1000_addresses_are_truncated_with_an_annotation_and_prefer_the_ready()
    {
        var rows = Enumerable.Range(0, 1200).Select(n => Endpoint($"p{n:0000}") with { IsReady = n >= 300 }).ToArray();
        var mirrored = Mirror(rows);
        var root = EndpointsOf(mirrored);
        Assert.Equal("truncated", root.GetProperty("metadata").GetProperty("annotations").GetProperty("endpoints.kubernetes.io/over-capacity").GetString());
        var subset = root.GetProperty("subsets")[0];
        Assert.Equal((900, 100), (subset.GetProperty("addresses").GetArrayLength(), subset.GetProperty("notReadyAddresses").GetArrayLength()));
        var stored = Stored(root);
        Assert.Null(Documents(mirrored).Endpoints(stored));
        var fits = EndpointsOf(mirrored with { Rows = [.. rows.Take(1000)] }, stored);
        Assert.False(fits.GetProperty("metadata").GetProperty("annotations").TryGetProperty("endpoints.kubernetes.io/over-capacity", out _));
    }

    [Fact]
    [Trait("Row", "SVC-M2")]
    public void A_service_that_selects_nothing_has_endpoints_without_subsets() => Assert.False(EndpointsOf(Mirror()).TryGetProperty("subsets", out _));

    [Fact]
    public void A_slice_tells_the_application_protocol_of_the_services_port()
    {
        var document = Some.Service(Name).Replace("\"port\":80", "\"appProtocol\":\"kubernetes.io/h2c\",\"port\":80", StringComparison.Ordinal);
        var port = Assert.Single(Slices(Mirror(document, Endpoint("a")))).GetProperty("ports")[0];
        Assert.Equal("kubernetes.io/h2c", port.GetProperty("appProtocol").GetString());
    }

    private static EndpointRow Endpoint(string pod, int port = 8080) => new(
        pod, new OrderMessage($"uid-{pod}-1", 1, 1, 1), IPAddress.Parse("127.80.0.1"), [new PodPort("http", 0, port)], "n1", true, true, false, true, false);

    private static Service Parse(string more = "") => ServiceParser.Parse(Encoding.UTF8.GetBytes(Some.Service(Name, more: more)), 1);

    private static Mirrored Mirror(params EndpointRow[] rows) => Mirror(Some.Service(Name, more: "\"clusterIP\":\"127.96.0.9\",\"clusterIPs\":[\"127.96.0.9\"],"), rows);

    private static Mirrored Mirror(string document, params EndpointRow[] rows)
    {
        var bytes = Encoding.UTF8.GetBytes(document);
        return new Mirrored(ServiceParser.Parse(bytes, 1), new StoredObject(Kinds.Service(Name), "uid-web", 1, 1, false, bytes), rows);
    }

    private MirrorDocuments Documents(Mirrored mirrored) => new(mirrored, node => "zone-of-" + node, Now, _random);

    private List<JsonElement> Slices(Mirrored mirrored)
    {
        var documents = Documents(mirrored);
        return [.. SliceSet.Plan(mirrored, []).Wanted.Select(slice => Root(documents.Slice(slice)!.Value.Document))];
    }

    private JsonElement EndpointsOf(Mirrored mirrored, StoredObject? stored = null) => Root(Documents(mirrored).Endpoints(stored)!);

    private static int Count(JsonElement slice) => slice.GetProperty("endpoints").GetArrayLength();

    private static StoredObject Stored(JsonElement document)
    {
        var metadata = document.GetProperty("metadata");
        var key = Kinds.EndpointSlice(NamespacedName.Of("shop", metadata.GetProperty("name").GetString()!));
        return new StoredObject(key, metadata.GetProperty("uid").GetString()!, 2, 2, false, Encoding.UTF8.GetBytes(document.GetRawText()));
    }

    private static JsonElement Root(byte[] document) => JsonDocument.Parse(document).RootElement;
}

using System.Buffers;
using System.Text.Json;
using Mesh.ApiServer.Discovery;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Resources;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.ApiServer.Tests;

public sealed class TableTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string TableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    private static readonly ResourceCatalog Catalog = new();

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(599, "9m59s")]
    [InlineData(600, "10m")]
    [InlineData(10_799, "179m")]
    [InlineData(10_800, "3h")]
    [InlineData(28_740, "7h59m")]
    [InlineData(28_800, "8h")]
    [InlineData(172_799, "47h")]
    [InlineData(172_800, "2d")]
    [InlineData(262_800, "3d1h")]
    [InlineData(691_200, "8d")]
    [InlineData(63_072_000, "2y")]
    [InlineData(-5, "<invalid>")]
    public void Ages_read_as_kubectl_shows_them(long seconds, string expected) =>
        Assert.Equal(expected, HumanDuration.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("", "services", """{"spec":{"type":"LoadBalancer","clusterIP":"1.1.1.1","ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}}""", "a|LoadBalancer|1.1.1.1|<pending>|80:30080/TCP,53/UDP|24h|<none>")]
    [InlineData("", "services", """{"spec":{"type":"ExternalName","externalName":"b.c"}}""", "a|ExternalName|<none>|b.c|<none>|24h|<none>")]
    [InlineData("", "services", """{"spec":{"type":"ClusterIP","clusterIP":"None","externalIPs":["1.1.1.1","2.2.2.2"],"selector":{"b":"2","a":"1"}}}""", "a|ClusterIP|None|1.1.1.1,2.2.2.2|<none>|24h|a=1,b=2")]
    [InlineData("", "pods", """{"spec":{"containers":[{},{}],"nodeName":"n"},"status":{"phase":"Running","podIP":"1.1.1.1","containerStatuses":[{"ready":true},{"ready":false,"restartCount":3}]}}""", "a|1/2|Running|3|24h|1.1.1.1|n|<none>|<none>")]
    [InlineData("", "pods", """{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Running"}}""", "a|0/1|Terminating|0|24h|<none>|<none>|<none>|<none>")]
    [InlineData("", "nodes", """{"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"Unknown"}],"nodeInfo":{"kubeletVersion":"v1"},"addresses":[{"type":"InternalIP","address":"1.1.1.1"}]}}""", "a|NotReady,SchedulingDisabled|<none>|24h|v1|1.1.1.1|<none>|<unknown>|<unknown>|<unknown>")]
    [InlineData("", "endpoints", """{"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"2.2.2.2"},{"ip":"3.3.3.3"},{"ip":"4.4.4.4"}],"ports":[{"port":80}]}]}""", "a|1.1.1.1:80,2.2.2.2:80,3.3.3.3:80 + 1 more...|24h")]
    [InlineData("", "endpoints", "{}", "a|<none>|24h")]
    [InlineData("", "namespaces", """{"status":{"phase":"Active"}}""", "a|Active|24h")]
    [InlineData("", "events", """{"type":"Warning","reason":"R","message":"m ","involvedObject":{"kind":"Service","name":"x"},"count":3,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T23:59:00Z","source":{"component":"c"}}""", "60s (x3 over 24h)|Warning|R|service/x||c|m|24h|3|a")]
    [InlineData("discovery.k8s.io", "endpointslices", """{"addressType":"IPv4","ports":[{"name":"h","port":80}],"endpoints":[{"addresses":["1.1.1.1"]}]}""", "a|IPv4|80|1.1.1.1|24h")]
    [InlineData("discovery.k8s.io", "endpointslices", """{"addressType":"IPv4"}""", "a|IPv4|<unset>|<unset>|24h")]
    [InlineData("networking.k8s.io", "ingresses", """{"spec":{"tls":[{}],"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}]},"status":{"loadBalancer":{"ingress":[{"ip":"2.2.2.2"},{"ip":"1.1.1.1"}]}}}""", "a|<none>|a,b,c + 1 more...|1.1.1.1,2.2.2.2|80, 443|24h")]
    [InlineData("networking.k8s.io", "ingresses", """{"spec":{"rules":[{}]}}""", "a|<none>|*||80|24h")]
    public void A_row_has_every_cell_wide_ones_too(string group, string plural, string json, string expected)
    {
        var resource = Catalog.Find(group, "v1", plural)!;
        var document = json.Contains("\"metadata\":{", StringComparison.Ordinal)
            ? json.Replace("\"metadata\":{", "\"metadata\":{\"name\":\"a\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\",", StringComparison.Ordinal)
            : $"{{\"metadata\":{{\"name\":\"a\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"}}{(json.Length > 2 ? "," : "")}{json[1..]}";
        using var parsed = JsonDocument.Parse(document);

        var cells = resource.Cells(parsed.RootElement, Now);

        Assert.Equal(expected, string.Join('|', cells));
        Assert.Equal(resource.Columns.Length, cells.Length);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_table_carries_metadata_of_each_row_or_what_is_asked_for()
    {
        var table = await host.Http.SendAsync("GET", "/api/v1/namespaces", accept: TableType);
        var whole = await host.Http.SendAsync("GET", "/api/v1/namespaces?includeObject=Object", accept: TableType);
        var bare = await host.Http.SendAsync("GET", "/api/v1/namespaces/default?includeObject=None", accept: TableType);
        var partial = await host.Http.SendAsync("GET", "/api/v1/namespaces", accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");

        Assert.Equal("Table", table.Body!["kind"]!.GetValue<string>());
        Assert.Equal("PartialObjectMetadata", table.Body["rows"]![0]!["object"]!["kind"]!.GetValue<string>());
        Assert.Equal("Namespace", whole.Body!["rows"]![0]!["object"]!["kind"]!.GetValue<string>());
        Assert.Null(bare.Body!["rows"]![0]!["object"]);
        Assert.Equal("PartialObjectMetadataList", partial.Body!["kind"]!.GetValue<string>());
        Assert.Null(partial.Body["items"]![0]!["spec"]);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_watch_tells_the_columns_once()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/namespaces?watch=true&timeoutSeconds=1");
        request.Headers.TryAddWithoutValidation("Accept", TableType);
        using var response = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var lines = (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.True(lines.Length >= 4);
        Assert.Equal([true, false, false], lines.Take(3).Select(line => line.Contains("\"columnDefinitions\":[", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_row_of_a_long_watch_tells_the_age_at_the_time_of_its_change()
    {
        var time = new FakeTimeProvider(Now);
        var presenter = new Presenter(Catalog.Find("", "v1", "namespaces")!, new Representation.Rows(RowObject.None), time);
        time.Advance(TimeSpan.FromMinutes(30));

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            presenter.WriteObject(writer, """{"metadata":{"name":"a","creationTimestamp":"2026-01-02T00:10:00Z"}}"""u8.ToArray());
        }

        using var table = JsonDocument.Parse(buffer.WrittenMemory);
        Assert.Equal("20m", table.RootElement.GetProperty("rows")[0].GetProperty("cells")[2].GetString());
    }

    [Fact]
    public void The_version_is_one_that_kubectl_can_compare() =>
        Assert.Equal("v1.32.0+mesh-0.1.0-c0ffee", ServerVersion.Document("0.1.0+c0ffee")["gitVersion"]!.GetValue<string>());
}

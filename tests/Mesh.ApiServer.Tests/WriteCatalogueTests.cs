using Mesh.Grains.Events;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Rows of the reliability catalogue about writes, through the API and the grains.</summary>
public sealed class WriteCatalogueTests(GrainHost host) : IClassFixture<GrainHost>
{
    private const string Services = "/api/v1/namespaces/default/services";

    private const string Merge = "application/merge-patch+json";

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A12")]
    public async Task Managed_fields_that_a_client_sends_are_not_stored_however_many()
    {
        var fields = "f:" + new string('x', 150);
        var managed = string.Join(',', Enumerable.Range(0, 4000).Select(i =>
            $$"""{"manager":"m{{i}}","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"{{fields}}":{} } } }"""));
        var created = await host.Http.SendAsync("POST", Services, $$$"""{"metadata":{"name":"managed","managedFields":[{{{managed}}}]},"spec":{"ports":[{"port":80}]}}""");
        var patched = await host.Http.SendAsync("PATCH", $"{Services}/managed", $$$"""{"metadata":{"managedFields":[{{{managed}}}]}}""", Merge);

        Assert.True(managed.Length > 1024 * 1024);
        Assert.Equal((201, 200), (created.Code, patched.Code));
        Assert.Null(created.Body!["metadata"]!["managedFields"]);
        Assert.Equal(created.Body.ToJsonString(), patched.Body!.ToJsonString());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A13")]
    public async Task Ten_thousand_events_of_one_object_are_one_object_that_counts_them()
    {
        const int Times = 10_000;
        await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"noisy"},"spec":{"ports":[{"port":80}],"selector":{"a":"b"}}}""");
        var about = (await host.Store.ReadAsync(new Core.Names.ObjectKey("", "Service", "default", "noisy"), TestContext.Current.CancellationToken))!;
        var recorder = host.Services.GetRequiredService<EventRecorder>();
        using var watch = await Watching.StartAsync(host, "/api/v1/namespaces/default/events?watch=true&fieldSelector=involvedObject.name%3Dnoisy");

        for (var i = 0; i < Times; i++)
        {
            recorder.Record(about, isWarning: true, "PortTaken", "another process listens there");
        }

        var names = new HashSet<string?>();
        do
        {
            names.Add((await watch.NextAsync()).Name);
        }
        while (watch.Last!["count"]!.GetValue<int>() < Times);
        Assert.Single(names);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A20")]
    public async Task An_address_that_is_taken_or_out_of_range_is_422_naming_who_has_it()
    {
        var first = await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"has"},"spec":{"clusterIP":"127.96.7.7","ports":[{"port":80}]}}""");
        var second = await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"wants"},"spec":{"clusterIP":"127.96.7.7","ports":[{"port":80}]}}""");
        var outside = await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"outside"},"spec":{"clusterIP":"10.0.0.1","ports":[{"port":80}]}}""");

        Assert.Equal((201, 422, 422), (first.Code, second.Code, outside.Code));
        Assert.Equal(["FieldValueInvalid spec.clusterIPs"], second.Causes);
        Assert.EndsWith("provided IP is already allocated to Service default/has", second.Message, StringComparison.Ordinal);
        Assert.Equal(["FieldValueInvalid spec.clusterIPs"], outside.Causes);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A21")]
    public async Task What_cannot_change_is_422_and_stays()
    {
        var created = await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"fixed"},"spec":{"ports":[{"port":80}]}}""");
        var moved = await host.Http.SendAsync("PATCH", $"{Services}/fixed", """{"spec":{"clusterIP":"127.96.8.8","clusterIPs":["127.96.8.8"]}}""", Merge);
        var renamed = await host.Http.SendAsync("PATCH", $"{Services}/fixed", """{"metadata":{"name":"other"}}""", Merge);
        var again = await host.Http.SendAsync("GET", $"{Services}/fixed");

        Assert.Equal((422, 400), (moved.Code, renamed.Code));
        Assert.Contains("spec.clusterIPs[0]", string.Join(' ', moved.Causes), StringComparison.Ordinal);
        Assert.Equal(created.Body!.ToJsonString(), again.Body!.ToJsonString());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A24")]
    public async Task An_update_without_a_resource_version_replaces_whatever_is_there()
    {
        await host.Http.SendAsync("POST", Services, """{"metadata":{"name":"replaced"},"spec":{"ports":[{"port":80}]}}""");
        var replaced = await host.Http.SendAsync("PUT", $"{Services}/replaced", """{"metadata":{"name":"replaced"},"spec":{"ports":[{"port":81}]}}""");

        Assert.Equal((200, 81), (replaced.Code, replaced.Body!["spec"]!["ports"]![0]!["port"]!.GetValue<int>()));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "REL-A30")]
    public async Task A_status_is_the_clusters_and_no_write_of_a_client_reaches_it()
    {
        const string Status = ""","status":{"loadBalancer":{"ingress":[{"ip":"10.9.9.9"}]}}""";
        var created = await host.Http.SendAsync("POST", Services, $$$"""{"metadata":{"name":"status"},"spec":{"ports":[{"port":80}]}{{{Status}}}}""");
        var patched = await host.Http.SendAsync("PATCH", $"{Services}/status", $$$"""{"metadata":{"labels":{"a":"b"}}{{{Status}}}}""", Merge);
        var written = await host.Http.SendAsync("PATCH", $"{Services}/status/status", $$$"""{"metadata":{}{{{Status}}}}""", Merge);
        var read = await host.Http.SendAsync("GET", $"{Services}/status/status");

        Assert.Equal((201, 200, 405, 200), (created.Code, patched.Code, written.Code, read.Code));
        Assert.Equal("writing the status of services is not in this version; Mesh keeps it itself", written.Message);
        Assert.All(new[] { created, patched, read }, answer => Assert.Equal("""{"loadBalancer":{}}""", answer.Body!["status"]!.ToJsonString()));
    }
}

using Mesh.Core.Routing;
using Xunit;
using static Mesh.NodeLink.Tests.Journal.SomeChanges;

namespace Mesh.NodeLink.Tests.Journal;

/// <summary>What a journal keeps of a Service's endpoints: rows only rise.</summary>
public sealed class JournaledRowsTests
{
    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "DP-D7")]
    public async Task A_set_that_a_silo_tells_from_behind_brings_nothing_older_back(bool restarts)
    {
        using var place = new Place();
        var journal = Open(place.Journal);
        journal.Keep([Spec("web"), Rows("web", (1, 1, 5, false), (2, 1, 5, false), (3, 1, 5, false))], synced: true);
        journal.Keep([Rows("web", full: false, (1, 1, 7, false), (2, 1, 6, true))], synced: true);
        if (restarts)
        {
            await journal.DisposeAsync();
            journal = Open(place.Journal);
        }

        journal.Keep([Rows("web", (1, 1, 5, false), (2, 1, 5, false))], synced: true);
        await journal.DisposeAsync();

        await using var next = Open(place.Journal);
        var rows = next.Changes.OfType<RoutingChange.ServiceEndpoints>().Single().Endpoints.Rows;
        Assert.Equal(["p1"], rows.Select(row => row.Pod.Name));
        Assert.Equal(7ul, rows[0].Order.Liveness);
    }

    private static RoutingChange.ServiceEndpoints Rows(string name, params (int Pod, int Spec, int Liveness, bool Ended)[] rows) => Rows(name, full: true, rows);

    private static RoutingChange.ServiceEndpoints Rows(string name, bool full, params (int Pod, int Spec, int Liveness, bool Ended)[] rows) =>
        new(Name(name), new EndpointsChange("u-" + name, full, IsSynced: true, 1, [.. rows.Select(Row)]));
}

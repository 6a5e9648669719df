using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Xunit;

namespace Mesh.Core.Tests.Routing;

/// <summary>A change costs what it changes, not the size of the table.</summary>
public class RoutingTableCostTests
{
    [Fact]
    public void One_endpoint_change_at_10000_Services_allocates_at_most_twice_what_it_does_at_100()
    {
        var few = BytesPerChange(Table(100), 100);
        var many = BytesPerChange(Table(10_000), 10_000);
        TestContext.Current.SendDiagnosticMessage($"{few} bytes a change at 100 Services, {many} at 10,000");
        Assert.True(many <= 2 * few, $"{few} bytes a change at 100 Services, {many} at 10,000");
    }

    [Fact]
    public void One_NodePort_at_10000_Services_allocates_at_most_twice_what_it_does_at_100()
    {
        var few = BytesPerClaim(Table(100));
        var many = BytesPerClaim(Table(10_000));
        Assert.True(many <= 2 * few, $"{few} bytes a claim at 100 Services, {many} at 10,000");
    }

    private static long BytesPerClaim(RoutingTable table)
    {
        const int Rounds = 128;
        var places = Enumerable.Range(30_000, Rounds + 1).Select(port => new IPEndPoint(new IPAddress([127, 80, 0, 1]), port)).ToArray(); // where all the Pods are
        Assert.Null(table.Claim(places[Rounds]));
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var place in places)
        {
            table.Claim(place);
            table.Release([place]);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
    }

    private static RoutingTable Table(int services)
    {
        var table = new RoutingTable("here");
        for (var i = 0; i < services; i++)
        {
            table.Apply(Told.Spec("s" + i, "uid-" + i, clusterIP: Address(i)));
            table.Apply(Change(i, liveness: 1, ready: true));
        }

        return table;
    }

    private static long BytesPerChange(RoutingTable table, int services)
    {
        const int Rounds = 128;
        var changes = Enumerable.Range(0, Rounds)
            .Select(round => round * services / Rounds)
            .SelectMany(service => new[] { Change(service, liveness: 2, ready: false), Change(service, liveness: 3, ready: true) })
            .ToArray();
        table.TakeChanged();
        table.Apply(Change(services - 1, liveness: 2, ready: false));
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var change in changes)
        {
            table.Apply(change);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / changes.Length;
    }

    private static RoutingChange.ServiceEndpoints Change(int service, ulong liveness, bool ready) => new(
        NamespacedName.Of("default", "s" + service),
        Told.Set(isFull: false, isSynced: true, [Told.Row("pod-" + service, liveness: liveness, ready: ready)], uid: "uid-" + service));

    private static string Address(int i) => $"127.97.{i >> 8}.{i & 255}";
}

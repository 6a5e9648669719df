using System.Net;
using Mesh.Grains.Placement;
using Orleans.Runtime.Placement;
using Xunit;

namespace Mesh.Grains.Tests.Placement;

public sealed class AnySiloDirectorTests
{
    private static readonly SiloAddress Here = Silo(1);
    private static readonly SiloAddress There = Silo(2);

    [Fact(Timeout = 60_000)]
    public async Task Every_compatible_silo_is_chosen_sooner_or_later()
    {
        var seen = new HashSet<SiloAddress>();
        var director = new AnySiloDirector(new Random(1));
        for (var i = 0; i < 100; i++)
        {
            seen.Add(await director.OnAddActivation(AnySiloPlacement.Instance, default, new Cluster(SiloStatus.Active, [Here, There])));
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task On_a_silo_that_ends_alone_a_grain_stays_where_it_is() =>
        Assert.Equal(Here, await PlaceAsync(new Cluster(SiloStatus.ShuttingDown, [])));

    [Fact(Timeout = 60_000)]
    public async Task On_a_silo_that_ends_another_one_is_chosen_when_there_is_one() =>
        Assert.Equal(There, await PlaceAsync(new Cluster(SiloStatus.ShuttingDown, [There])));

    [Fact(Timeout = 60_000)]
    public async Task A_grain_that_no_living_silo_takes_is_an_error() =>
        await Assert.ThrowsAsync<OrleansException>(() => PlaceAsync(new Cluster(SiloStatus.Active, [])));

    private static async Task<SiloAddress> PlaceAsync(Cluster cluster) =>
        await new AnySiloDirector(new Random(1)).OnAddActivation(AnySiloPlacement.Instance, default, cluster);

    private static SiloAddress Silo(int port) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 1);

    private sealed class Cluster(SiloStatus status, SiloAddress[] compatible) : IPlacementContext
    {
        public SiloAddress LocalSilo => Here;

        public SiloStatus LocalSiloStatus => status;

        public SiloAddress[] GetCompatibleSilos(PlacementTarget target) =>
            compatible.Length > 0 ? compatible : throw new OrleansException("No active nodes are compatible");

        public IReadOnlyDictionary<ushort, SiloAddress[]> GetCompatibleSilosWithVersions(PlacementTarget target) => throw new NotSupportedException();
    }
}

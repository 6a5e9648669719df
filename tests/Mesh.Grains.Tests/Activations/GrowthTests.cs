using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Activations;

/// <summary>What serves an object ends with it: a cluster in which much came and went holds what one holds in which nothing did.</summary>
[Collection(ClusterGroup.Name)]
public sealed class GrowthTests(SharedCluster shared)
{
    private const int Namespaces = 40;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    private readonly MeshTestCluster _cluster = shared.Cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IManagementGrain Management => _cluster.Client.GetGrain<IManagementGrain>(0);

    [Fact(Timeout = 180_000)]
    [Trait("Row", "CP-D7")]
    public async Task Namespaces_Services_and_Pods_that_came_and_went_in_number_leave_no_activation()
    {
        var spaces = new ConcurrentDictionary<string, byte>();
        var agent = new TestAgent(_cluster, new TestNode("growth"));
        await Parallel.ForAsync(0, Namespaces, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Stop }, async (_, stop) =>
        {
            var ns = await _cluster.NamespaceAsync();
            spaces[ns] = 0;
            var name = NamespacedName.Of(ns, "web");
            var service = _cluster.Client.GetGrain<IServiceGrain>(name.ToString());
            Assert.Equal(ObjectResult.Committed, (await service.Write(Some.Create(Some.Service(name)), stop)).Result);
            await agent.RegisterAsync(name);
            await agent.EndAsync(name);
            Assert.Equal(ObjectResult.Committed, (await service.Write(Some.Delete(), stop)).Result);
        });
        Assert.NotEmpty(await HeldAsync(spaces)); // there is something to let go of
        await Parallel.ForEachAsync(spaces.Keys, Stop, async (ns, _) => await _cluster.DeleteAsync(Kinds.Namespace(ns)));

        await Eventually.Is("all but Pods ends by itself", async _ => await HeldAsync(spaces, but: "mesh.pod"), "", Soon);
        await Eventually.Is(
            "nothing keeps Pods",
            async stop =>
            {
                await Management.ForceActivationCollection(TimeSpan.FromMilliseconds(1), stop); // as their age does, sooner
                return await HeldAsync(spaces);
            },
            "",
            Soon);
    }

    [Fact(Timeout = 120_000)]
    [Trait("Row", "CP-D7")]
    public async Task Machines_that_only_a_manifest_names_have_no_grain_for_long()
    {
        var machines = new ConcurrentDictionary<string, byte>(Enumerable.Range(0, Namespaces).Select(i => KeyValuePair.Create($"invented-{i}", (byte)0)));
        await Parallel.ForEachAsync(machines.Keys, Stop, async (machine, stop) =>
        {
            var node = _cluster.Client.GetGrain<INodeGrain>(machine);
            await node.HintRenew("default/0");
            await node.KnownIncarnation(stop); // answered: it was there
        });
        await Eventually.Is("grains of machines that are not there", _ => HeldAsync(machines), "", Soon);
    }

    /// <summary>The activations whose keys begin so.</summary>
    private async Task<string> HeldAsync(ConcurrentDictionary<string, byte> names, string but = "") => string.Join(
        ", ",
        (await Management.GetDetailedGrainStatistics())
            .Where(held => names.ContainsKey(held.GrainId.Key.ToString()!.Split('/')[0]) && held.GrainId.Type.ToString() != but)
            .Select(held => held.GrainId.ToString()));
}

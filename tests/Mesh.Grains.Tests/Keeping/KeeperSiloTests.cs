using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Services;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

[Collection(RestartGroup.Name)]
public sealed class KeeperSiloTests(RestartCluster shared) : IDisposable
{
    private const int Services = 20;

    private readonly MeshTestCluster _cluster = shared.Cluster;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _cluster.Network.Heal();

    [Fact(Timeout = 60_000)]
    public async Task The_keeper_that_is_left_wakes_the_grains_that_a_lost_silo_kept()
    {
        var ns = await _cluster.NamespaceAsync();
        long version = 0;
        for (var i = 0; i < Services; i++)
        {
            var name = NamespacedName.Of(ns, $"s{i}");
            version = (await _cluster.PutAsync(Kinds.Service(name), Some.Service(name))).ResourceVersion;
        }

        await _cluster.Cache().WaitForAsync(version, Stop);
        var left = _cluster.Silos[0].SiloAddress.ToParsableString();
        var waiting = new ConcurrentDictionary<string, byte>(Enumerable.Range(0, Services).Select(i => KeyValuePair.Create($"{ns}/s{i}", (byte)0)));
        var woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _cluster.Orleans.StopSiloAsync(_cluster.Silos[1], Stop);
        _cluster.Network.Choose(call =>
        {
            if (call.MethodName == "Reconcile" && call.TargetId.Type.ToString() == "mesh.service")
            {
                waiting.TryRemove(call.TargetId.Key.ToString()!, out _);
                if (waiting.IsEmpty)
                {
                    woken.TrySetResult();
                }
            }

            return Loss.None;
        });
        _cluster.RenewAll(); // the word of a membership event, in case the Keeper swept before this test looked
        await woken.Task.WaitAsync(Stop);
        Assert.Equal(left, Assert.Single(_cluster.Silos).SiloAddress.ToParsableString());
        await _cluster.Orleans.StartAdditionalSiloAsync();
    }
}

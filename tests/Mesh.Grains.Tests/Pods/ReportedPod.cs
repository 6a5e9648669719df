using System.Text;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;
using Mesh.Storage;

namespace Mesh.Grains.Tests.Pods;

/// <summary>One Pod as its node reports it.</summary>
internal sealed class ReportedPod(MeshTestCluster cluster, NamespacedName name, CancellationToken stop)
{
    public NamespacedName Name => name;

    public ObjectKey Key => Kinds.Pod(name);

    public IPodGrain Grain => cluster.Client.GetGrain<IPodGrain>(name.ToString());

    public Task<PodReportReply> ReportAsync(PodReport report) => Grain.Report(report, stop);

    public PodReport Alive(string uid, ulong liveness, bool ready = true, string node = "a", long version = 1, string app = "web", int port = 8080) => new(
        name.Namespace,
        name.Name,
        uid,
        node,
        Encoding.UTF8.GetBytes(
            $$$"""{"kind":"Pod","metadata":{"labels":{"app":"{{{app}}}"},"annotations":{"mesh.internal/pod-ip":"127.80.0.1"}},"spec":{"containers":[{"ports":[{"name":"http","containerPort":{{{port}}}}]}]}}"""),
        version,
        liveness,
        ready,
        false,
        false,
        "",
        "",
        true);

    public PodReport End(string uid, ulong liveness, string node = "a") =>
        Alive(uid, liveness, ready: false, node) with { IsEnded = true, Document = default, Reason = "StreamClosed" };

    public async Task UntilAsync(Func<StoredObject?, bool> wanted)
    {
        var cache = cluster.Cache();
        using var watch = cache.Watch(key => key == Key, cache.Version);
        while (!wanted(cache.Get(Key)))
        {
            await watch.NextAsync(stop);
        }
    }
}

using System.Collections.Immutable;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;
using Mesh.Grains.Nodes;
using Mesh.NodeLink;
using Mesh.NodeLink.SiloEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Wire = Mesh.NodeLink.Wire;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>The first silo's end of one machine's link, tied to the grains as the process ties it.</summary>
public sealed class LinkedSilo : ILinkSessionHandler, IAsyncDisposable
{
    private readonly MeshTestCluster _cluster;
    private readonly string _node;
    private readonly LinkServer _server;
    private readonly TaskCompletionSource<LinkSession> _linked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LinkedSilo(MeshTestCluster cluster, string node, string socket, TimeProvider time)
    {
        (_cluster, _node) = (cluster, node);
        _server = new LinkServer(socket, this, new Random(1), time, NullLoggerFactory.Instance);
    }

    private NodeSessionService Sessions => MeshTestCluster.Service<NodeSessionService>(_cluster.Silos[0]);

    public Task StartAsync(CancellationToken stop) => _server.StartAsync(stop);

    public Task<LinkSession> LinkedAsync(CancellationToken stop) => _linked.Task.WaitAsync(stop);

    public async Task RunAsync(LinkSession session)
    {
        var link = new Link(session, _node);
        MeshTestCluster.Service<TestLinks>(_cluster.Silos[0]).Add(session.Id, link);
        await session.WelcomeAsync(Options(), 0, session.Ended);
        _linked.TrySetResult(session);
        await Sessions.ServeAsync(session.Id, link, new NodeFacts("boot", "Test Linux", "6.1", "amd64", 2, 1L << 30), session.Ended);
    }

    public async Task<ReportAck?> OnObservedAsync(LinkSession session, Wire.PodReport report, CancellationToken stop) =>
        await Sessions.ObserveAsync(Read(report), stop) is { } reply ? Ack(reply) : null;

    public async Task<ReportAck> OnReportAsync(LinkSession session, Wire.PodReport report, CancellationToken stop) =>
        Ack(await Sessions.ReportAsync(Read(report), stop));

    public void OnInventory(LinkSession session, Inventory inventory) => Sessions.PutInventory(
        session.Id,
        inventory.Namespace,
        inventory.Counter,
        [.. inventory.Pods.Select(pod => new HeldPod(pod.Namespace, pod.Name, pod.Uid, pod.Liveness, pod.Ready, pod.Terminating, pod.Registered))]);

    public void OnDigest(LinkSession session, Digest digest) =>
        Sessions.PutDigest(session.Id, digest.Namespace, new HeldDigest(digest.Hash, digest.Count));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Abstractions.Nodes.PodReport Read(Wire.PodReport report) => new(
        report.Namespace, report.Name, report.Uid, _node, report.Document.Memory, report.RegistrationVersion, report.Liveness, report.Ready,
        report.Terminating, report.Ended, report.Reason, report.Message, report.Registered);

    private static ReportAck Ack(PodReportReply reply) => new()
    {
        Result = Enum.Parse<ReportAck.Types.Result>(reply.Result.ToString()),
        Message = reply.Message,
        CreatedVersion = reply.CreatedVersion,
        ResourceVersion = reply.ResourceVersion,
    };

    private NodeOptions Options() => new()
    {
        NodeName = _node,
        Advertise = "127.0.0.1",
        NodeListen = "127.0.0.1:0",
        IngressHttp = "127.0.0.1:0",
        DnsListen = "127.0.0.1:0",
        ServiceCidr = "127.96.0.0/16",
        PodCidr = "127.80.0.0/16",
        ClusterDomain = "cluster.local",
        LogLevel = "info",
    };

    private sealed class Link(LinkSession session, string node) : IGatewayLink
    {
        public string NodeName => node;

        public NodeSession Session { get; } = new("", session.Hello.Incarnation, 1, "127.0.0.1", session.Hello.Build);

        public TimeSpan Silence => session.Silence;

        public ReadOnlyMemory<byte> DefaultCertificate { get; } = "default"u8.ToArray();

        public CancellationToken Ended => session.Ended;

        public async Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
        {
            try
            {
                await session.ApplyAsync(changes, synced, stop);
            }
            catch (LinkLostException)
            {
                throw new LinkEndedException(session.Id);
            }
        }

        public void RequestInventory(string ns) => session.RequestInventory(ns);
    }
}

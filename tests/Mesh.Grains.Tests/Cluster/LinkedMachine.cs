using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.NodeLink;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Mesh.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>A machine's node on the real link, over a unix socket, to the silo of <see cref="LinkedSilo"/>: what it reports, and what it routes.</summary>
public sealed class LinkedMachine : INodeLinkHandler, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly string _directory = TestDirectory.Make("mesh-linked-");
    private readonly ConcurrentDictionary<string, PodState> _held = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<NamespacedName, PodReport> _told = new();
    private readonly LinkedSilo _silo;
    private readonly TimeProvider _time;
    private Task _linking = Task.CompletedTask;
    private long _counter = 1L << 32;

    public LinkedMachine(MeshTestCluster cluster, TestNode node, TimeProvider time)
    {
        (Node, _time) = (node, time);
        Outbox = new ReportOutbox(time);
        _silo = new LinkedSilo(cluster, node.Name, Socket, time);
    }

    public TestNode Node { get; }

    /// <summary>What its silo has not acknowledged.</summary>
    public ReportOutbox Outbox { get; }

    public LinkedSilo Silo => _silo;

    private string Socket => Path.Combine(_directory, "link.sock");

    public async Task LinkAsync(CancellationToken stop)
    {
        await _silo.StartAsync(stop);
        _linking = new LinkClient(Socket, this, Outbox, _time, NullLogger<LinkClient>.Instance).RunAsync(_stop.Token);
        await _silo.LinkedAsync(stop);
    }

    /// <summary>A Pod registers itself.</summary>
    public void Register(NamespacedName name, int number)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"127.81.{number / 250}.{(number % 250) + 1}");
        var document = $$$"""
            {"kind":"Pod","metadata":{"labels":{"app":"web"},"annotations":{"mesh.internal/pod-ip":"{{{address}}}"}},
            "spec":{"containers":[{"ports":[{"name":"http","containerPort":8080}]}]}}
            """;
        Tell(new PodReport
        {
            Namespace = name.Namespace,
            Name = name.Name,
            Uid = "uid-" + name.Name,
            Registered = true,
            RegistrationVersion = 1,
            Document = ByteString.CopyFrom(document, Encoding.UTF8),
            Ready = true,
            Liveness = Next(),
        });
    }

    public void SetReady(NamespacedName name, bool isReady) =>
        Tell(new PodReport(_told[name]) { Ready = isReady, Liveness = Next() });

    public void End(NamespacedName name)
    {
        var report = new PodReport(_told[name]) { Ready = false, Ended = true, Reason = "StreamClosed", Liveness = Next() };
        _held.TryRemove(report.Uid, out _);
        Node.ApplyLocal(Local(report));
        Outbox.Put(report);
    }

    public Hello Hello() => new() { NodeName = Node.Name, Build = "test", Incarnation = 1 };

    public ValueTask OnWelcomeAsync(NodeOptions options, ulong optionsHash, uint knownIncarnation, CancellationToken stop)
    {
        Node.BeginResync();
        return ValueTask.CompletedTask;
    }

    public ValueTask ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        Node.Apply(changes, synced);
        return ValueTask.CompletedTask;
    }

    public ValueTask OnReportAckAsync(PodReport report, ReportAck ack, CancellationToken stop) => ValueTask.CompletedTask;

    public NodeInventory Inventory(string ns)
    {
        var counter = (ulong)Volatile.Read(ref _counter);
        return new NodeInventory(counter, [.. _held.Values.Where(pod => ns.Length == 0 || pod.Namespace == ns)]);
    }

    public Task DrainAsync(TimeSpan within, CancellationToken stop) => Task.CompletedTask;

    public void OnLinkLost()
    {
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _linking;
        await _silo.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void Tell(PodReport report)
    {
        _told[NamespacedName.Of(report.Namespace, report.Name)] = report;
        _held[report.Uid] = new PodState
        {
            Namespace = report.Namespace,
            Name = report.Name,
            Uid = report.Uid,
            Liveness = report.Liveness,
            Ready = report.Ready,
            Registered = true,
        };
        Node.ApplyLocal(Local(report)); // its own machine first
        Outbox.Put(report);
    }

    private static LocalPod Local(PodReport report) =>
        new(NamespacedName.Of(report.Namespace, report.Name), report.Uid, !report.Ended, report.Ready, false, report.Liveness);

    private ulong Next() => (ulong)Interlocked.Increment(ref _counter);
}

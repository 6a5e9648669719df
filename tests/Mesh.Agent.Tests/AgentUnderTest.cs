using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Mesh.Agent.Http;
using Mesh.Core.Routing;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Routing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Agent.Tests;

/// <summary>An Agent with its real listeners; what it tells is caught here.</summary>
internal sealed class AgentUnderTest : ILocalRouting, IReportSink, IRegistrationJournal, IAsyncDisposable
{
    private readonly string _directory = TestDirectory.Make("mesh-agent-");
    private RegistrationServer? _tcp;
    private RegistrationServer? _socket;

    private AgentUnderTest(TimeProvider time, AgentIdentity identity, Func<IReadOnlyCollection<IPAddress>>? machine)
    {
        Agent = new AgentService(identity, this, this, this, new Random(1), Loops.Loops, time, NullLogger<AgentService>.Instance, machine);
        Told = new ToldServices((routes, changed) =>
        {
            Routes = routes;
            Agent.OnRoutesChanged(changed);
        });
    }

    public static NodeOptions Options { get; } = new()
    {
        NodeName = "n1",
        Advertise = "127.0.0.1",
        NodeListen = "127.0.0.1:6480",
        IngressHttp = "0.0.0.0:8080",
        DnsListen = "127.0.0.1:10053",
        ServiceCidr = "127.96.0.0/16",
        PodCidr = "127.80.0.0/16",
        ClusterDomain = "cluster.local",
        LogLevel = "info",
        ReservedEndpoints = ["127.0.0.1:6443"],
    };

    public AgentService Agent { get; }

    public WatchedLoops Loops { get; } = new();

    public Uri Url => new($"http://127.0.0.1:{_tcp!.Port}");

    public string Socket => Path.Combine(_directory, "node.sock");

    /// <summary>What the snapshot was told, in order.</summary>
    public Channel<LocalPod> Routed { get; } = Channel.CreateBounded<LocalPod>(100_000);

    public Channel<PodReport> Reports { get; } = Channel.CreateBounded<PodReport>(100_000);

    public ConcurrentQueue<string> Forgotten { get; } = new();

    public ConcurrentDictionary<string, Registration> Journal { get; } = new();

    public bool HasRoom { get; set; } = true;

    /// <summary>What the machine routes by.</summary>
    public RoutingSnapshot Routes { get; set; } = RoutingSnapshot.Empty;

    /// <summary>Changes <see cref="Routes"/> as a control plane does.</summary>
    public ToldServices Told { get; }

    public bool IsDiskFull { get; set; }

    public static async Task<AgentUnderTest> StartAsync(
        CancellationToken stop,
        TimeProvider? time = null,
        NodeOptions? options = null,
        IReadOnlyCollection<Registration>? journal = null,
        AgentIdentity? identity = null,
        Func<IReadOnlyCollection<IPAddress>>? machine = null)
    {
        var test = new AgentUnderTest(time ?? TimeProvider.System, identity ?? new AgentIdentity(1, "boot"), machine);
        test.Agent.Configure(options ?? Options);
        foreach (var registration in journal ?? [])
        {
            test.Journal[registration.Uid] = registration;
        }

        await test.Agent.RestoreAsync(journal ?? [], stop);
        await test.Agent.StartAsync(stop);
        test._tcp = await RegistrationServer.ListenAsync(new IPEndPoint(IPAddress.Loopback, 0), test.Agent, () => null, NullLoggerFactory.Instance, stop);
        test._socket = await RegistrationServer.ListenAsync(test.Socket, test.Agent, () => "no synced snapshot yet", NullLoggerFactory.Instance, stop);
        return test;
    }

    /// <summary>The next thing that the snapshot is told which fits.</summary>
    public async Task<LocalPod> RoutedAsync(Func<LocalPod, bool> fits, CancellationToken stop)
    {
        LocalPod pod;
        do
        {
            pod = await Routed.Reader.ReadAsync(stop);
        }
        while (!fits(pod));
        return pod;
    }

    public async Task<PodReport> ReportAsync(Func<PodReport, bool> fits, CancellationToken stop)
    {
        PodReport report;
        do
        {
            report = await Reports.Reader.ReadAsync(stop);
        }
        while (!fits(report));
        return report;
    }

    RoutingSnapshot ILocalRouting.Current => Routes;

    /// <summary>From now on what is to be routed meets an exception.</summary>
    public bool RoutingFails { get; set; }

    public ValueTask ApplyAsync(LocalPod pod, CancellationToken stop) => RoutingFails ? throw PlantedTime.Planted() : Routed.Writer.WriteAsync(pod, stop);

    public ValueTask ForgetAsync(string uid, CancellationToken stop)
    {
        Forgotten.Enqueue(uid);
        return ValueTask.CompletedTask;
    }

    public void Put(PodReport report) => Reports.Writer.TryWrite(report);

    public ValueTask WriteAsync(Registration registration, CancellationToken stop)
    {
        if (IsDiskFull)
        {
            throw new IOException("No space left on device");
        }

        Journal[registration.Uid] = registration;
        return ValueTask.CompletedTask;
    }

    public ValueTask EndAsync(string uid, CancellationToken stop)
    {
        Journal.TryRemove(uid, out _);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Agent.StopAsync(CancellationToken.None);
        await _tcp!.DisposeAsync();
        await _socket!.DisposeAsync();
        Agent.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

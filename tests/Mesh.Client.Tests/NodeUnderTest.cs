using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.Channels;
using Mesh.Agent;
using Mesh.Agent.Discovery;
using Mesh.Agent.Http;
using Mesh.Core.Routing;
using Mesh.NodeLink;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Mesh.Testing.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Client.Tests;

/// <summary>
/// The registration half of a node: the real Agent behind its real listeners, in this process. It can go away and come back
/// on the same port with the same journal; what it tells the routes is caught here.
/// </summary>
internal sealed class NodeUnderTest : ILocalRouting, IReportSink, IRegistrationJournal, IAsyncDisposable
{
    private static readonly NodeOptions Options = new()
    {
        NodeName = "n1",
        Advertise = "127.0.0.1",
        NodeListen = "127.0.0.1:6480",
        IngressHttp = "0.0.0.0:8080",
        DnsListen = "127.0.0.1:10053",
        ServiceCidr = "127.96.0.0/16",
        PodCidr = "127.87.0.0/16",
        ClusterDomain = "cluster.local",
        LogLevel = "info",
        ReservedEndpoints = ["127.0.0.1:6443"],
    };

    private readonly NodeOptions _options = Options;
    private readonly string _directory = TestDirectory.Make("mesh-client-");
    private readonly ConcurrentDictionary<string, Registration> _journal = new();
    private readonly Channel<LocalPod> _routed = Channel.CreateBounded<LocalPod>(10_000);
    private readonly Channel<PodReport> _reports = Channel.CreateBounded<PodReport>(10_000);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private AgentService? _agent;
    private RegistrationServer? _tcp;
    private RegistrationServer? _socket;
    private uint _starts;
    private int _port;

    public NodeUnderTest() => Told = new ToldServices((routes, changed) =>
    {
        Routes = routes;
        _agent?.OnRoutesChanged(changed);
    });

    /// <summary>Where the addresses are that it gives.</summary>
    public string PodCidr
    {
        init => _options = Options with { PodCidr = value };
    }

    public string Url => $"http://127.0.0.1:{_port}";

    public string Socket => Path.Combine(_directory, "node.sock");

    public bool HasRoom => true;

    /// <summary>What the machine routes by.</summary>
    public RoutingSnapshot Routes { get; set; } = RoutingSnapshot.Empty;

    /// <summary>Changes <see cref="Routes"/> as a control plane does.</summary>
    public ToldServices Told { get; }

    public static async Task<NodeUnderTest> StartNewAsync(CancellationToken stop)
    {
        var node = new NodeUnderTest();
        await node.StartAsync(stop);
        return node;
    }

    /// <summary>A node that is away, and where it will be.</summary>
    public static NodeUnderTest Away()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return new NodeUnderTest { _port = ((IPEndPoint)probe.LocalEndpoint).Port };
    }

    public async Task StartAsync(CancellationToken stop)
    {
        _agent = new AgentService(new AgentIdentity(++_starts, "boot"), this, this, this, new Random((int)_starts), WatchedLoops.Unwatched(), TimeProvider.System, NullLogger<AgentService>.Instance);
        _agent.Configure(_options);
        await _agent.RestoreAsync([.. _journal.Values], stop);
        await _agent.StartAsync(stop);
        _tcp = await RegistrationServer.ListenAsync(new IPEndPoint(IPAddress.Loopback, _port), _agent, () => null, NullLoggerFactory.Instance, stop);
        _socket = await RegistrationServer.ListenAsync(Socket, _agent, () => null, NullLoggerFactory.Instance, stop);
        _port = _tcp.Port;
    }

    /// <summary>As a node that is stopped: its streams end, its Pods do not.</summary>
    public async Task StopAsync()
    {
        if (_agent is not null)
        {
            await _agent.StopAsync(CancellationToken.None);
            await _tcp!.DisposeAsync();
            await _socket!.DisposeAsync();
            _agent.Dispose();
            _agent = null;
        }
    }

    /// <summary>How many watches of Services it has.</summary>
    public int Watches => _agent!.Watches.Count;

    /// <summary>Other users' processes take every watch there is, until that is disposed.</summary>
    public IDisposable TakeAllWatches()
    {
        var taken = new WatchesOfOthers();
        for (var i = 0; _agent!.Watches.Open(Core.Names.NamespacedName.Of("default", "web"), i < ServiceWatches.MostOfUser ? 65_501u : 65_502u, out var watch) is null; i++)
        {
            taken.Add(watch!);
        }

        return taken;
    }

    /// <summary>Loses its journal, as another node would not have it.</summary>
    public void Forget() => _journal.Clear();

    /// <summary>The next thing that the routes are told which fits.</summary>
    public async Task<LocalPod> RoutedAsync(Func<LocalPod, bool> fits, CancellationToken stop)
    {
        LocalPod pod;
        do
        {
            pod = await _routed.Reader.ReadAsync(stop);
        }
        while (!fits(pod));
        return pod;
    }

    /// <summary>The process of a Pod has answered its node, and is missed when it does not.</summary>
    public Task AskedAsync(string name) => Eventually.Is("an answer", () => Asked(Core.Names.NamespacedName.Of("default", name)), true, TimeSpan.FromSeconds(30));

    /// <summary>Why a Pod ended, as the silo is told.</summary>
    public async Task<string> EndReasonAsync(CancellationToken stop)
    {
        PodReport report;
        do
        {
            report = await _reports.Reader.ReadAsync(stop);
        }
        while (!report.Ended);
        return report.Reason;
    }

    /// <summary>The Pods of this machine, as anybody may list them.</summary>
    public async Task<IReadOnlyList<JsonElement>> PodsAsync(CancellationToken stop)
    {
        var list = await _http.GetFromJsonAsync<JsonElement>($"{Url}/v1/namespaces/default/pods", stop);
        return [.. list.GetProperty("items").EnumerateArray()];
    }

    /// <summary>Ends a Pod over its application's head, as <c>kubectl delete pod</c> does.</summary>
    public async Task DeletePodAsync(string name, CancellationToken stop)
    {
        using var answer = await _http.DeleteAsync($"{Url}/v1/namespaces/default/pods/{name}", stop);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<JsonElement> SinglePodAsync(CancellationToken stop) => Xunit.Assert.Single(await PodsAsync(stop));

    private bool Asked(Core.Names.NamespacedName name)
    {
        lock (_agent!.Table.Gate)
        {
            return _agent.Table.Find(name) is { Probe: { Spec.AnswersAt: not null, Attempts: > 0 } };
        }
    }

    RoutingSnapshot ILocalRouting.Current => Routes;

    ValueTask ILocalRouting.ApplyAsync(LocalPod pod, CancellationToken stop) => _routed.Writer.WriteAsync(pod, stop);

    ValueTask ILocalRouting.ForgetAsync(string uid, CancellationToken stop) => ValueTask.CompletedTask;

    void IReportSink.Put(PodReport report) => _reports.Writer.TryWrite(report);

    ValueTask IRegistrationJournal.WriteAsync(Registration registration, CancellationToken stop)
    {
        _journal[registration.Uid] = registration;
        return ValueTask.CompletedTask;
    }

    ValueTask IRegistrationJournal.EndAsync(string uid, CancellationToken stop)
    {
        _journal.TryRemove(uid, out _);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class WatchesOfOthers : List<ServiceWatch>, IDisposable
    {
        public void Dispose() => ForEach(static watch => watch.Dispose());
    }
}

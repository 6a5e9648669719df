using System.Collections.Concurrent;
using System.Threading.Channels;
using Mesh.NodeLink.SiloEnd;
using Mesh.NodeLink.Wire;
using Mesh.Testing.Time;

namespace Mesh.NodeLink.Tests;

/// <summary>What a silo does with a link, seen by the test; the sockets and the protocol are the real ones.</summary>
internal sealed class FakeSilo : ILinkSessionHandler, IAsyncDisposable
{
    private readonly LinkServer _server;

    private FakeSilo(string socket, TimeProvider time) => _server = new LinkServer(socket, this, new Random(1), time, Told);

    public static NodeOptions Options { get; } = new()
    {
        NodeName = "n1",
        Advertise = "127.0.0.1",
        NodeListen = "127.0.0.1:0",
        IngressHttp = "127.0.0.1:0",
        DnsListen = "127.0.0.1:0",
        ServiceCidr = "127.96.0.0/16",
        PodCidr = "127.80.0.0/16",
        ClusterDomain = "cluster.local",
        LogLevel = "info",
        RegisterUids = [1000],
    };

    /// <summary>What it logs from Warning on.</summary>
    public ToldLines Told { get; } = new();

    /// <summary>The next inventory meets an exception.</summary>
    public bool FailsOnce { get; set; }

    public Channel<LinkSession> Sessions { get; } = Channel.CreateBounded<LinkSession>(100);

    public Channel<Inventory> Inventories { get; } = Channel.CreateBounded<Inventory>(100);

    public Channel<Digest> Digests { get; } = Channel.CreateBounded<Digest>(100);

    public Channel<PodReport> Reports { get; } = Channel.CreateBounded<PodReport>(100_000);

    public ConcurrentDictionary<string, int> Seen { get; } = new();

    public Func<PodReport, CancellationToken, Task<ReportAck>> Answer { get; set; } = (_, _) => Task.FromResult(new ReportAck());

    /// <summary>What of a report is told on without a commit; nothing.</summary>
    public Func<PodReport, ReportAck?> Observe { get; set; } = _ => null;

    public static async Task<FakeSilo> StartAsync(string socket, CancellationToken stop, TimeProvider? time = null)
    {
        var silo = new FakeSilo(socket, time ?? TestClock.Machine);
        await silo._server.StartAsync(stop);
        return silo;
    }

    public async Task RunAsync(LinkSession session)
    {
        await session.WelcomeAsync(Options, 0, session.Ended);
        await Sessions.Writer.WriteAsync(session, session.Ended);
        await new TaskCompletionSource().Task.WaitAsync(session.Ended);
    }

    public Task<ReportAck?> OnObservedAsync(LinkSession session, PodReport report, CancellationToken stop) => Task.FromResult(Observe(report));

    public async Task<ReportAck> OnReportAsync(LinkSession session, PodReport report, CancellationToken stop)
    {
        Seen.AddOrUpdate(report.Uid, 1, (_, times) => times + 1);
        await Reports.Writer.WriteAsync(report, stop);
        return await Answer(report, stop);
    }

    public void OnInventory(LinkSession session, Inventory inventory)
    {
        if (FailsOnce)
        {
            FailsOnce = false;
            throw PlantedTime.Planted();
        }

        Inventories.Writer.TryWrite(inventory);
    }

    public void OnDigest(LinkSession session, Digest digest) => Digests.Writer.TryWrite(digest);

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}

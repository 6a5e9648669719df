using System.Diagnostics;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Nodes;
using Mesh.NodeLink;
using Mesh.NodeLink.SiloEnd;
using Mesh.NodeLink.Wire;
using Mesh.Silo.Nodes;
using WireReport = Mesh.NodeLink.Wire.PodReport;

namespace Mesh.Silo.Links;

/// <summary>Ties each link session of this silo to its gateway grain, and what nodes report to the grains of their Pods.</summary>
internal sealed class NodeLinks(NodeOptions options, NodeSupervisor supervisor, NodeSessionService sessions, OpenLinks open, PortEvents events, TimeProvider time, ILogger<NodeLinks> log)
    : ILinkSessionHandler
{
    private static readonly TimeSpan PulseEvery = TimeSpan.FromSeconds(3);

    private long _numbers = time.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task RunAsync(LinkSession session)
    {
        if (!supervisor.IsOwnBuild(session.Hello.Build))
        {
            // Not fed at all: it would only be told what its successor is told again.
            supervisor.Replace(session.Hello.Build);
            return;
        }

        // The link's socket is this machine's own, so this is the node of this silo, whatever it called itself.
        var link = new GatewayLink(session, options.NodeName, options.Advertise, Interlocked.Increment(ref _numbers));
        open.Add(session.Id, link);
        try
        {
            await session.WelcomeAsync(options, session.Ended);
            var opened = await sessions.OpenAsync(session.Id, link, Facts(session.Hello), session.Ended);
            if (!opened.IsNewest)
            {
                log.LinkSuperseded(session.Id);
                return;
            }

            using var pulse = new PeriodicTimer(PulseEvery, time);
            while (await pulse.WaitForNextTickAsync(session.Ended))
            {
                await sessions.PulseAsync(session.Id, link, session.Ended);
            }
        }
        finally
        {
            open.Remove(session.Id);
            await sessions.CloseAsync(session.Id, link.NodeName, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task<ReportAck> OnReportAsync(LinkSession session, WireReport report, CancellationToken stop)
    {
        var reply = await sessions.ReportAsync(
            new Grains.Abstractions.Nodes.PodReport(
                report.Namespace, report.Name, report.Uid, options.NodeName, report.Document.Memory, report.RegistrationVersion, report.Liveness,
                report.Ready, report.Terminating, report.Ended, report.Reason, report.Message, report.Registered),
            stop);
        return new ReportAck
        {
            Result = Result(reply.Result),
            Message = reply.Message,
            CreatedVersion = reply.CreatedVersion,
            ResourceVersion = reply.ResourceVersion,
        };
    }

    public async Task OnInventoryAsync(LinkSession session, Inventory inventory, CancellationToken stop)
    {
        try
        {
            await sessions.InventoryAsync(
                options.NodeName,
                inventory.Counter,
                inventory.Namespace,
                [.. inventory.Pods.Select(pod => new HeldPod(pod.Namespace, pod.Name, pod.Uid, pod.Liveness, pod.Ready, pod.Terminating, pod.Registered))],
                stop);
        }
        catch (Exception failure) when (failure is OrleansException or TimeoutException)
        {
            // The digest that follows within 30 s asks for it again.
            log.InventoryNotTaken(session.Id, failure);
        }
    }

    public Task OnDigestAsync(LinkSession session, Digest digest, CancellationToken stop)
    {
        // What differs is found by the inventory itself, which costs less than a second protocol for the rare case.
        session.RequestInventory(digest.Namespace);
        return Task.CompletedTask;
    }

    public void OnPortProblem(LinkSession session, PortProblem problem) => events.Record(options.NodeName, problem);

    private static NodeFacts Facts(Hello hello) =>
        new(hello.BootId, hello.OsImage, hello.Kernel, hello.Architecture, hello.Cpus, hello.MemoryBytes);

    private static ReportAck.Types.Result Result(PodReportResult result) => result switch
    {
        PodReportResult.Accepted => ReportAck.Types.Result.Accepted,
        PodReportResult.Conflict => ReportAck.Types.Result.Conflict,
        PodReportResult.NamespaceNotActive => ReportAck.Types.Result.NamespaceNotActive,
        PodReportResult.Invalid => ReportAck.Types.Result.Invalid,
        PodReportResult.Retry => ReportAck.Types.Result.Retry,
        _ => throw new UnreachableException(),
    };
}

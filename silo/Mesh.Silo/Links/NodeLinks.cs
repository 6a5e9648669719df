using System.Diagnostics;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Nodes;
using Mesh.NodeLink;
using Mesh.NodeLink.SiloEnd;
using Mesh.NodeLink.Wire;
using Mesh.Silo.Certificates;
using Mesh.Silo.Nodes;
using WireReport = Mesh.NodeLink.Wire.PodReport;

namespace Mesh.Silo.Links;

/// <summary>Ties each link session of this silo to its gateway grain, and what nodes report to the grains of their Pods.</summary>
internal sealed class NodeLinks(
    NodeOptions options, IngressCertificate certificate, NodeSupervisor supervisor, NodeSessionService sessions, OpenLinks open, PortEvents events, TimeProvider time, ILogger<NodeLinks> log)
    : ILinkSessionHandler
{
    public async Task RunAsync(LinkSession session)
    {
        if (!supervisor.IsOwnBuild(session.Hello.Build))
        {
            // Not fed at all: it would only be told what its successor is told again.
            supervisor.Replace(session.Hello.Build);
            return;
        }

        supervisor.OnLinked();
        // The link's socket is this machine's own, so this is the node of this silo, whatever it called itself.
        var link = new GatewayLink(session, options.NodeName, options.Advertise, certificate);
        open.Add(session.Id, link);
        try
        {
            var told = await sessions.KnownIncarnationAsync(options.NodeName, session.Ended);
            if (told is null && session.Hello.Provisional)
            {
                return; // it links again: until the grain answers nobody knows whether its number was used before
            }

            var known = told ?? 0;
            await session.WelcomeAsync(options, known, session.Ended);
            if (session.IsOutnumberedBy(known))
            {
                // Not fed: it starts again as soon as it has read this.
                log.NodeOutnumbered(session.Hello.Incarnation, known);
                await Task.Delay(Timeout.InfiniteTimeSpan, time, session.Ended);
            }

            await sessions.ServeAsync(session.Id, link, Facts(session.Hello), session.Ended);
            log.LinkSuperseded(session.Id);
        }
        finally
        {
            open.Remove(session.Id);
            await sessions.CloseAsync(session.Id, link.NodeName, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task<ReportAck?> OnObservedAsync(LinkSession session, WireReport report, CancellationToken stop) =>
        await sessions.ObserveAsync(Read(report), stop) is { } reply ? Ack(reply) : null;

    public async Task<ReportAck> OnReportAsync(LinkSession session, WireReport report, CancellationToken stop) =>
        Ack(await sessions.ReportAsync(Read(report), stop));

    private Grains.Abstractions.Nodes.PodReport Read(WireReport report) => new(
        report.Namespace, report.Name, report.Uid, options.NodeName, report.Document.Memory, report.RegistrationVersion, report.Liveness,
        report.Ready, report.Terminating, report.Ended, report.Reason, report.Message, report.Registered)
    {
        Named = Named(report.Named),
    };

    private static ReportAck Ack(PodReportReply reply) => new()
    {
        Result = Result(reply.Result),
        Message = reply.Message,
        CreatedVersion = reply.CreatedVersion,
        ResourceVersion = reply.ResourceVersion,
    };

    private static RegistrationKeys? Named(KeyVersions? named) => named switch
    {
        null => null,
        { Labels.Count: 0, Annotations.Count: 0 } => RegistrationKeys.None,
        _ => new RegistrationKeys(new Dictionary<string, long>(named.Labels), new Dictionary<string, long>(named.Annotations)),
    };

    public void OnInventory(LinkSession session, Inventory inventory) => sessions.PutInventory(
        session.Id,
        inventory.Namespace,
        inventory.Counter,
        [.. inventory.Pods.Select(pod => new HeldPod(pod.Namespace, pod.Name, pod.Uid, pod.Liveness, pod.Ready, pod.Terminating, pod.Registered))]);

    public void OnDigest(LinkSession session, Digest digest) =>
        sessions.PutDigest(session.Id, digest.Namespace, new HeldDigest(digest.Hash, digest.Count));

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
        PodReportResult.Heard => ReportAck.Types.Result.Heard,
        _ => throw new UnreachableException(),
    };
}

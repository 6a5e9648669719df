using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.SiloEnd;

/// <summary>What the silo does with its nodes' links; implemented where the grains are.</summary>
public interface ILinkSessionHandler
{
    /// <summary>
    /// A node linked: answer with <see cref="LinkSession.WelcomeAsync"/>, then tell it what to route. The session lives until
    /// this returns or the node leaves, which cancels <see cref="LinkSession.Ended"/>.
    /// </summary>
    Task RunAsync(LinkSession session);

    /// <summary>
    /// What of a report needs no commit: it is told on, however the store is. Null when nothing of it could be, and
    /// <c>Heard</c> when more of it is to be committed: then <see cref="OnReportAsync"/> follows. Many run at the same time,
    /// of one Pod one; an exception is answered with <c>Retry</c>.
    /// </summary>
    Task<ReportAck?> OnObservedAsync(LinkSession session, PodReport report, CancellationToken stop);

    /// <summary>
    /// The whole of a report; may wait for the store. Many run at the same time, of one Pod one. The answer goes back with
    /// the report's number (the session fills it in); an exception is answered with <c>Retry</c>.
    /// </summary>
    Task<ReportAck> OnReportAsync(LinkSession session, PodReport report, CancellationToken stop);

    /// <summary>A whole inventory, its parts put together; returns at once.</summary>
    void OnInventory(LinkSession session, Inventory inventory);

    /// <summary>Returns at once.</summary>
    void OnDigest(LinkSession session, Digest digest);

    /// <summary>A port of this node cannot be listened on; returns at once.</summary>
    void OnPortProblem(LinkSession session, PortProblem problem)
    {
    }
}

using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains.Pods;

/// <summary>The newest word of a Pod's node on it, within one uid.</summary>
internal sealed record PodLife(string Uid, ulong Liveness, bool IsReady, bool IsTerminating, string Reason, string Message)
{
    public static PodLife Of(PodReport report) =>
        new(report.Uid, report.Liveness, report.IsReady, report.IsTerminating, report.Reason, report.Message);

    public bool IsNewerThan(PodReport report) => Uid == report.Uid && Liveness > report.Liveness;
}

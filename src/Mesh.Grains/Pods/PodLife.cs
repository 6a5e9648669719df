using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>The newest word of a Pod's node on it, within one uid.</summary>
internal sealed record PodLife(string Uid, ulong Liveness, bool IsReady, bool IsTerminating, string Reason, string Message)
{
    public static PodLife Of(PodReport report) =>
        new(report.Uid, report.Liveness, report.IsReady, report.IsTerminating, report.Reason, report.Message);

    /// <summary>As its registry remembers it. Why it is not ready nobody does, but that its process is awaited its container shows.</summary>
    public static PodLife Of(PodRow row, StoredObject stored)
    {
        var awaited = row.IsReady ? null : PodStatus.Awaited(stored.Document);
        return new PodLife(row.Order.Uid, row.Order.Liveness, row.IsReady, row.IsTerminating, awaited is null ? "" : PodReasons.ProcessAwaited, awaited ?? "");
    }

    /// <summary>The newest liveness that is known of a Pod, by its node's word or by what is stored.</summary>
    public static ulong Known(PodLife? life, StoredObject stored) =>
        Math.Max(life?.Uid == stored.Uid ? life.Liveness : 0, RegisteredPod.Shown(stored.Document).Liveness);

    public bool IsNewerThan(PodReport report) => Uid == report.Uid && Liveness > report.Liveness;
}

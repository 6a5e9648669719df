using System.Text.Json.Nodes;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>
/// What becomes of the object of a Pod whose node reported its end: it goes, unless finalizers hold it. Then it stays,
/// marked as being deleted and with a phase that no Service routes to, until the last of them is taken away.
/// </summary>
internal static class PodEnd
{
    // What Kubernetes shows of a container whose exit nobody saw.
    private const int UnknownExit = 137;

    public static WritePlan Plan(PodReport report, StoredObject? current, DateTimeOffset now)
    {
        if (current is null || current.Uid != report.Uid)
        {
            return new WritePlan.Keep();
        }

        if (!FinalizedRules.HasFinalizers(current.Document))
        {
            return new WritePlan.Delete([]);
        }

        return current.IsDeleting && PodDocument.IsTerminal(current.Document)
            ? new WritePlan.Keep()
            : new WritePlan.Put(Mark(current.Document, report, now), []);
    }

    /// <summary>Whether it is what somebody wanted: all else is worth a warning.</summary>
    public static bool IsAskedFor(PodReport report) => report.Reason is PodReasons.Deleted or PodReasons.Replaced;

    private static ReadOnlyMemory<byte> Mark(ReadOnlyMemory<byte> document, PodReport report, DateTimeOffset now)
    {
        var (podIP, hostIP) = (StoredFields.Text(document, "status", "podIP") ?? "", StoredFields.Text(document, "status", "hostIP") ?? "");
        var pod = StoredFields.Open(new PodStatus(false, report.Reason, report.Message, podIP, hostIP).Apply(document, now));
        var metadata = pod.Child("metadata");
        metadata["deletionTimestamp"] ??= StoredFields.Time(now);
        metadata["deletionGracePeriodSeconds"] ??= 0;
        var status = pod.Child("status");
        status["phase"] = IsAskedFor(report) ? "Succeeded" : "Failed";
        status["reason"] = report.Reason;
        status["message"] = report.Message;
        foreach (var container in status["containerStatuses"] as JsonArray ?? [])
        {
            container!["started"] = false;
            container["state"] = new JsonObject
            {
                ["terminated"] = new JsonObject
                {
                    ["exitCode"] = IsAskedFor(report) ? 0 : UnknownExit,
                    ["reason"] = report.Reason,
                    ["message"] = report.Message,
                    ["startedAt"] = (string?)container["state"]?["running"]?["startedAt"],
                    ["finishedAt"] = StoredFields.Time(now),
                },
            };
        }

        return StoredFields.Close(pod);
    }
}

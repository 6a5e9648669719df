using Mesh.Agent.Registrations;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Pods;

/// <summary>What the silo says of registered Pods: labels changed by kubectl, a deletion asked for, reports answered.</summary>
internal sealed class SiloWords(PodTable table, PodVoice voice, ILocalRouting routing, OwnedTasks tasks, TimeProvider time, ILogger logger)
{
    /// <summary>How long a deletion waits for the silo to have spread that the Pod is terminating.</summary>
    internal static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(2);

    /// <summary>False when no Pod with that uid is registered here.</summary>
    public bool TryApply(ObjectDocument document, CancellationToken stop)
    {
        StoredMeta meta;
        try
        {
            meta = StoredMeta.Read(document.Document);
        }
        catch (FormatException unreadable)
        {
            logger.PodUnreadable(document.Name.ToString(), unreadable.Message);
            return true;
        }

        RegisteredPod? pod;
        TaskCompletionSource? spread = null;
        lock (table.Gate)
        {
            pod = table.Find(document.Uid);
            if (pod is null)
            {
                return false;
            }

            if (document.ResourceVersion < pod.StoredVersion)
            {
                return true;
            }

            var isNews = pod.Stored is null
                || !Core.Labels.LabelMap.Same(pod.Stored.Labels, meta.Labels)
                || !Core.Labels.LabelMap.Same(pod.Stored.Annotations, meta.Annotations)
                || pod.Stored.DeletionTimestamp != meta.DeletionTimestamp;
            pod.StoredVersion = document.ResourceVersion;
            pod.Stored = meta;
            if (isNews)
            {
                pod.Lease?.Touch();
            }

            if (meta.DeletionTimestamp is not null && !pod.IsTerminating)
            {
                pod.IsTerminating = true;
                pod.DrainReported = spread = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        if (spread is not null)
        {
            // Not awaited here: what it waits for is an answer that the caller's link brings.
            tasks.Begin("deleted Pod", end => DrainAsync(pod, spread.Task, meta.GraceSeconds, end), stop);
        }

        return true;
    }

    public async Task OnRemovedAsync(string uid)
    {
        RegisteredPod? pod;
        lock (table.Gate)
        {
            pod = table.Find(uid);
        }

        if (pod is not null)
        {
            await voice.EndAsync(pod, new LeaseEnd.Deleted(), "Deleted", "Its object was deleted.");
        }
    }

    public async Task OnAckAsync(PodReport report, ReportAck ack, CancellationToken stop)
    {
        if (report.Ended && ack.Result != ReportAck.Types.Result.Retry)
        {
            await routing.ForgetAsync(report.Uid, stop);
            return;
        }

        RegisteredPod? pod;
        lock (table.Gate)
        {
            pod = table.Find(report.Uid);
            if (pod is null)
            {
                return;
            }

            pod.StoredVersion = Math.Max(pod.StoredVersion, ack.ResourceVersion);
            if (report.Terminating && ack.Result == ReportAck.Types.Result.Accepted)
            {
                pod.DrainReported?.TrySetResult();
            }
        }

        if (Refused(pod.Facts.Name, ack) is { } why)
        {
            logger.NotTaken(pod.Facts.Name.ToString(), why.Message);
            await voice.EndAsync(pod, new LeaseEnd.Refused(why), why.Reason, why.Message, tellSilo: false);
        }
    }

    private static Refusal? Refused(NamespacedName name, ReportAck ack) => ack.Result switch
    {
        ReportAck.Types.Result.Conflict => new Refusal(
            StatusCodes.Status409Conflict, "AlreadyExists", Or(ack.Message, $"Another Pod {name} lives in this cluster.")),
        ReportAck.Types.Result.NamespaceNotActive => Refusal.NotFound(Or(ack.Message, $"Namespace {name.Namespace} does not exist, or is ending.")),
        ReportAck.Types.Result.Invalid => Refusal.Invalid(Or(ack.Message, $"Pod {name} is not valid.")),
        _ => null,
    };

    private static string Or(string message, string otherwise) => message.Length > 0 ? message : otherwise;

    private async Task DrainAsync(RegisteredPod pod, Task spread, int? graceSeconds, CancellationToken stop)
    {
        await voice.TellAsync(pod, stop);
        var within = graceSeconds is { } grace ? UserSeconds.AtMost(grace, LongestDrain) : LongestDrain;
        await Task.WhenAny(spread, Task.Delay(within, time, stop));
        if (!stop.IsCancellationRequested)
        {
            await voice.EndAsync(pod, new LeaseEnd.Deleted(), "Deleted", "Its deletion was asked for.");
        }
    }
}

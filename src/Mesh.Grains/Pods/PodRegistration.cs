using System.Text.Json;
using Mesh.Core.Clocks;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>Whether a registration may have the name it asks for, and what is then written.</summary>
internal sealed class PodRegistration(NamespacedName name, PodRules rules, TimeProvider time)
{
    /// <summary>Why it is not a registration of this Pod; null when it is.</summary>
    public string? Problem(PodReport report) => report.Uid.Length == 0 || report.Namespace != name.Namespace || report.Name != name.Name
        ? "a registration needs a uid, and the name that it is reported under"
        : null;

    /// <param name="planned">The Pod as it will be stored, when that changes.</param>
    public WritePlan Plan(PodReport report, StoredObject? current, out Pod? planned)
    {
        planned = null;
        if (current is not null && current.Uid != report.Uid)
        {
            return new WritePlan.Refuse(new ObjectReply(ObjectResult.AlreadyExists, default, 0, Holder(current)));
        }

        if (current is not null && RegisteredPod.Shown(current.Document).Version >= report.RegistrationVersion)
        {
            return new WritePlan.Keep();
        }

        try
        {
            var document = current is null
                ? RegisteredPod.Create(report, rules.AddressOf(report.NodeName), WallClock.Now(time))
                : RegisteredPod.Register(current.Document, report, WallClock.Now(time));
            planned = PodParser.Parse(document, current?.CreatedVersion ?? 0);
            return new WritePlan.Put(document, []);
        }
        catch (Exception problem) when (problem is FormatException or JsonException or InvalidOperationException)
        {
            return new WritePlan.Refuse(Replies.Invalid("", problem.Message)); // it cannot be admitted at all
        }
    }

    /// <summary>A node never holds two living Pods of one name: its newer one tells that the older has ended.</summary>
    /// <param name="liveness">Newest word on the stored one.</param>
    public static bool IsSucceeded(StoredObject stored, ulong liveness, PodReport newer) =>
        stored.Uid != newer.Uid
        && RegisteredPod.IsRegistered(stored.Document)
        && PodDocument.NodeName(stored.Document) == newer.NodeName
        && liveness < newer.Liveness;

    /// <summary>The end that the newer one's registration implies.</summary>
    public static PodReport EndOf(StoredObject stored, ulong liveness, PodReport newer) =>
        newer with
        {
            Uid = stored.Uid,
            IsEnded = true,
            Liveness = Math.Max(liveness, newer.Liveness - 1),
            Reason = PodReasons.Replaced,
            Message = "Its node holds a newer Pod of this name.",
        };

    public static PodReportReply Retry(string why) => new(PodReportResult.Retry, 0, 0, why);

    /// <summary>What its node is told of a registration that was not committed.</summary>
    public static PodReportReply Refused(ObjectReply reply) => new(
        reply.Result switch
        {
            ObjectResult.AlreadyExists => PodReportResult.Conflict,
            ObjectResult.NamespaceNotFound or ObjectResult.NamespaceTerminating => PodReportResult.NamespaceNotActive,
            ObjectResult.Invalid => PodReportResult.Invalid,
            _ => PodReportResult.Retry,
        },
        0,
        0,
        reply.Message);

    private string Holder(StoredObject current) => PodDocument.IsTerminal(current.Document)
        ? $"Pod {name} has ended and stays until its finalizers are gone (uid {current.Uid})"
        : RegisteredPod.IsRegistered(current.Document) ? $"Pod {name} lives on node {PodDocument.NodeName(current.Document)} (uid {current.Uid})"
        : $"Pod {name} was applied as a manifest (uid {current.Uid})";
}

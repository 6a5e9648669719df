using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>A Service's ClusterIP: allocated, kept and released in the Service's own commits.</summary>
internal sealed class ClusterIPAllocation(ClusterIPs addresses, AllocationRow rows)
{
    private const string Field = "spec.clusterIPs";

    private static readonly Dictionary<string, string> Labels = new()
    {
        ["ipaddress.kubernetes.io/ip-family"] = "IPv4",
        ["ipaddress.kubernetes.io/managed-by"] = "ipallocator.k8s.io",
    };

    public AllocationStep Plan(ServiceWrite write)
    {
        var (_, next, before, _) = write;
        if (next.Type == ServiceType.ExternalName)
        {
            return new AllocationStep.Add([FieldEdit.Remove("spec", "clusterIP"), FieldEdit.Remove("spec", "clusterIPs")], [.. Release(before)]);
        }

        return before is null || before.Type == ServiceType.ExternalName ? Allocate(next, write.IsDryRun) : Keep(next, before);
    }

    public static IEnumerable<Write> Release(Service? before) =>
        before?.ClusterIPs.Select(address => (Write)new Write.Delete(Kinds.IPAddress(address.ToString()), Precondition.None)) ?? [];

    /// <summary>The IPAddress object stands already: whoever named it is told, whoever did not gets another.</summary>
    public ObjectReply? Explain(Service asked, CommitOutcome.Failed failed)
    {
        var name = failed.Write.Key.Name;
        addresses.MarkUsed(IPAddress.Parse(name));
        return asked.ClusterIPs.IsEmpty
            ? null
            : Replies.Invalid(
                Field,
                $"Invalid value: [\"{name}\"]: failed to allocate IP {name}: provided IP is already allocated{AllocationRow.ToHolder(failed.Current)}");
    }

    private AllocationStep Allocate(Service next, bool isDryRun)
    {
        if (next.IsHeadless)
        {
            return new AllocationStep.Add(WithAddress("None"), []);
        }

        var asked = next.ClusterIPs.IsEmpty ? null : next.ClusterIPs[0];
        if (asked is not null && !addresses.Contains(asked))
        {
            return new AllocationStep.Refuse(Replies.Invalid(
                Field, $"Invalid value: [\"{asked}\"]: failed to allocate IP {asked}: the provided network does not match the current range"));
        }

        if ((asked ?? addresses.Suggest(keep: !isDryRun)) is not { } address)
        {
            return new AllocationStep.Refuse(Replies.Exhausted("failed to allocate a serviceIP: range is full"));
        }

        if (!isDryRun)
        {
            addresses.MarkUsed(address);
        }

        return new AllocationStep.Add(WithAddress(address.ToString()), [rows.Take(Kinds.IPAddress(address.ToString()), Labels)]);
    }

    private static AllocationStep Keep(Service next, Service before)
    {
        var had = before.IsHeadless ? "None" : before.ClusterIPs.FirstOrDefault()?.ToString() ?? "";
        var wants = next.IsHeadless ? "None" : next.ClusterIPs.FirstOrDefault()?.ToString() ?? "";
        return wants.Length > 0 && wants != had
            ? new AllocationStep.Refuse(Replies.Invalid("spec.clusterIPs[0]", $"Invalid value: \"{wants}\": may not change once set"))
            : had.Length > 0 ? new AllocationStep.Add(WithAddress(had), []) : AllocationStep.Nothing;
    }

    private static FieldEdit[] WithAddress(string address) =>
        [FieldEdit.Text(address, "spec", "clusterIP"), FieldEdit.Texts([address], "spec", "clusterIPs")];
}

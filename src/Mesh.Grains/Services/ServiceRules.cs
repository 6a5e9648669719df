using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>What a Service adds to the write path: its ClusterIP, allocated, kept and released in the Service's own commits.</summary>
internal sealed class ServiceRules(NamespacedName name, ClusterIPs addresses, IWatchCache cache, TimeProvider time, Random random) : IObjectRules
{
    private const string Field = "spec.clusterIPs";

    public WritePlan Plan(ObjectRequest request, StoredObject? current) => request.Verb switch
    {
        ObjectVerb.Create => Put(request.Document, null, request.DryRun),
        ObjectVerb.Update => Put(request.Document, current, request.DryRun),
        ObjectVerb.Delete => Delete(current!),
        _ => throw new UnreachableException(),
    };

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed)
    {
        // The IPAddress object stands already: whoever named it is told, whoever did not gets another.
        addresses.MarkUsed(IPAddress.Parse(failed.Write.Key.Name));
        return ServiceParser.Parse(request.Document, 0).ClusterIPs.IsEmpty
            ? null
            : Replies.Invalid(
                Field,
                $"Invalid value: [\"{failed.Write.Key.Name}\"]: failed to allocate IP {failed.Write.Key.Name}: provided IP is already allocated{Holder(failed.Current)}");
    }

    private static string Holder(StoredObject? address) =>
        address is not null && StoredFields.Text(address.Document, "spec", "parentRef", "name") is { Length: > 0 } service
            ? $" to Service {StoredFields.Text(address.Document, "spec", "parentRef", "namespace")}/{service}"
            : "";

    private WritePlan Put(ReadOnlyMemory<byte> document, StoredObject? current, bool isDryRun)
    {
        var next = ServiceParser.Parse(document, 0);
        var before = current is null ? null : ServiceParser.Parse(current.Document, current.CreatedVersion);
        if (next.Type == ServiceType.ExternalName)
        {
            return new WritePlan.Put(
                DocumentEdit.Apply(document, FieldEdit.Remove("spec", "clusterIP"), FieldEdit.Remove("spec", "clusterIPs")), Release(before));
        }

        return before is null || before.Type == ServiceType.ExternalName
            ? Allocate(document, next, isDryRun)
            : Keep(document, next, before);
    }

    private WritePlan Allocate(ReadOnlyMemory<byte> document, Service next, bool isDryRun)
    {
        if (next.IsHeadless)
        {
            return new WritePlan.Put(WithAddress(document, "None"), []);
        }

        var asked = next.ClusterIPs.IsEmpty ? null : next.ClusterIPs[0];
        if (asked is not null && !addresses.Contains(asked))
        {
            return new WritePlan.Refuse(Replies.Invalid(
                Field, $"Invalid value: [\"{asked}\"]: failed to allocate IP {asked}: the provided network does not match the current range"));
        }

        if ((asked ?? addresses.Suggest()) is not { } address)
        {
            return new WritePlan.Refuse(Replies.Exhausted("failed to allocate a serviceIP: range is full"));
        }

        if (isDryRun)
        {
            return new WritePlan.Put(WithAddress(document, address.ToString()), []);
        }

        // Taken at once in the hint, so that creates that run side by side do not try the same one.
        addresses.MarkUsed(address);
        var key = Kinds.IPAddress(address.ToString());
        return new WritePlan.Put(WithAddress(document, address.ToString()), [new Write.Put(key, Allocation(address), Precondition.Absence)]);
    }

    private static WritePlan Keep(ReadOnlyMemory<byte> document, Service next, Service before)
    {
        var had = before.IsHeadless ? "None" : before.ClusterIPs.FirstOrDefault()?.ToString() ?? "";
        var wants = next.IsHeadless ? "None" : next.ClusterIPs.FirstOrDefault()?.ToString() ?? "";
        return wants.Length > 0 && wants != had
            ? new WritePlan.Refuse(Replies.Invalid("spec.clusterIPs[0]", $"Invalid value: \"{wants}\": may not change once set"))
            : new WritePlan.Put(had.Length > 0 ? WithAddress(document, had) : document, []);
    }

    /// <summary>Allocation, Endpoints and slices go in the commit that removes the Service.</summary>
    private WritePlan.Delete Delete(StoredObject current)
    {
        var slices = OwnSlices.Of(cache, name).Take(StoreLimits.MaxWritesPerCommit - 10);
        return new WritePlan.Delete(
        [
            .. Release(ServiceParser.Parse(current.Document, current.CreatedVersion)),
            new Write.Delete(Kinds.Endpoints(name), Precondition.None),
            .. slices.Select(slice => new Write.Delete(slice.Key, Precondition.None)),
        ]);
    }

    private static ImmutableArray<Write> Release(Service? before) =>
        before is null ? [] : [.. before.ClusterIPs.Select(address => new Write.Delete(Kinds.IPAddress(address.ToString()), Precondition.None))];

    private static byte[] WithAddress(ReadOnlyMemory<byte> document, string address) => DocumentEdit.Apply(
        document, FieldEdit.Text(address, "spec", "clusterIP"), FieldEdit.Texts([address], "spec", "clusterIPs"));

    private byte[] Allocation(IPAddress address) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        apiVersion = Kinds.NetworkingGroup + "/v1",
        kind = "IPAddress",
        metadata = new
        {
            name = address.ToString(),
            uid = Uid.New(random),
            creationTimestamp = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            labels = new Dictionary<string, string>
            {
                ["ipaddress.kubernetes.io/ip-family"] = "IPv4",
                ["ipaddress.kubernetes.io/managed-by"] = "ipallocator.k8s.io",
            },
        },
        spec = new { parentRef = new { group = "", resource = "services", @namespace = name.Namespace, name = name.Name } },
    }, MeshJson.Options);
}

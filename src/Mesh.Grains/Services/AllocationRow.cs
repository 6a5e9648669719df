using System.Text.Json;
using Mesh.Core.Clocks;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// What makes an address or a port one Service's: an object of its own, whose key is what is taken. It comes and goes in
/// the Service's commits, so the store makes it unique, whatever dies or runs twice.
/// </summary>
internal sealed class AllocationRow(NamespacedName service, TimeProvider time, Random random)
{
    public Write Take(ObjectKey key, IReadOnlyDictionary<string, string>? labels = null) => new Write.Put(key, Document(key, labels), Precondition.Absence);

    public bool IsOurs(StoredObject? row) => row is not null && HolderOf(row) == service;

    /// <summary>The Service that has it, null when the row does not say.</summary>
    public static NamespacedName? HolderOf(StoredObject row) => NamespacedName.TryCreate(
        StoredFields.Text(row.Document, "spec", "parentRef", "namespace"), StoredFields.Text(row.Document, "spec", "parentRef", "name"), out var holder)
        ? holder
        : null;

    /// <summary>Behind a refusal: who has it.</summary>
    public static string ToHolder(StoredObject? row) => row is not null && HolderOf(row) is { } holder ? $" to Service {holder}" : "";

    private byte[] Document(ObjectKey key, IReadOnlyDictionary<string, string>? labels) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        apiVersion = key.Group + "/v1",
        kind = key.Kind,
        metadata = new
        {
            name = key.Name,
            uid = Uid.New(random),
            creationTimestamp = StoredFields.Time(WallClock.Now(time)),
            labels,
        },
        spec = new { parentRef = new { group = "", resource = "services", @namespace = service.Namespace, name = service.Name } },
    }, MeshJson.WithoutNulls);
}

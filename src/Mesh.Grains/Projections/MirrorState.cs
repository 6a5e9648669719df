using Mesh.Grains.Abstractions.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>
/// What a Service's mirror is made from, and what of it is stored, in a few numbers: while both are as they were when the
/// mirror was last found right or written, it is right, and composing it would tell nothing else.
/// </summary>
/// <param name="Content">Of all that the documents tell of endpoints.</param>
/// <param name="Stored">What anybody wrote of Service, slices and Endpoints.</param>
internal readonly record struct MirrorState(ulong Content, MirrorVersions Stored)
{
    public static ulong ContentOf(Mirrored mirrored, Func<string, string?> zoneOf)
    {
        ulong sum = 0; // in whatever order the rows come
        foreach (var row in mirrored.Rows)
        {
            sum += Of(row, zoneOf);
        }

        return sum;
    }

    private static ulong Of(EndpointRow row, Func<string, string?> zoneOf)
    {
        var print = new Fingerprint();
        print.Add(row.PodName);
        print.Add(row.Order.Uid);
        print.Add(row.Address);
        print.Add(row.NodeName);
        print.Add(zoneOf(row.NodeName));
        print.Add((row.IsReady ? 1ul : 0) | (row.IsServing ? 2ul : 0) | (row.IsTerminating ? 4ul : 0));
        foreach (var port in row.Ports)
        {
            print.Add(port.Name);
            print.Add(((ulong)port.Protocol << 32) | (uint)port.Number);
        }

        return print.Value ^ (print.Value >> 29);
    }
}

/// <summary>Versions of what is stored of a mirror. Every write moves them.</summary>
/// <param name="Spec">Of the Service whose selector and ports the rows are of: an older one until the registry has answered for the newest.</param>
/// <param name="Versions">Of its slices, added up: a later one is always greater.</param>
internal readonly record struct MirrorVersions(long Service, long Spec, int Slices, long Versions, long Endpoints)
{
    public static MirrorVersions Of(Mirrored mirrored, IReadOnlyList<StoredObject> slices, StoredObject? endpoints) =>
        new(mirrored.Object.ResourceVersion, mirrored.Service.ResourceVersion, slices.Count, slices.Sum(slice => slice.ResourceVersion), endpoints?.ResourceVersion ?? 0);

    /// <summary>After a write of a slice or of the Endpoints.</summary>
    public MirrorVersions After(StoredObject? before, StoredObject? after)
    {
        var (was, now) = (before?.ResourceVersion ?? 0, after?.ResourceVersion ?? 0);
        return (before ?? after)!.Key.Kind == "Endpoints"
            ? this with { Endpoints = now }
            : this with { Slices = Slices + (was == 0 ? 1 : 0) - (now == 0 ? 1 : 0), Versions = Versions - was + now };
    }
}

using System.Text;

namespace Mesh.Core.Pods;

/// <summary>
/// What a node holds of one namespace, in a few bytes. Computed alike by the node and by the registry, whatever order
/// the Pods are listed in: where the two differ, one of them missed something.
/// </summary>
public readonly record struct HeldDigest(ulong Hash, int Count)
{
    // FNV-1a, 64 bits: against accidents, not against somebody who looks for two equal ones.
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static HeldDigest Of(IEnumerable<(string Name, string Uid, ulong Liveness)> pods)
    {
        ulong hash = 0;
        var count = 0;
        foreach (var (name, uid, liveness) in pods)
        {
            // Neither a name nor a uid holds a newline, so no two Pods give the same bytes.
            var one = Add(Offset, Encoding.UTF8.GetBytes($"{name}\n{uid}\n{liveness}"));
            hash += one ^ (one >> 29);
            count++;
        }

        return new HeldDigest(hash, count);
    }

    private static ulong Add(ulong hash, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            hash = (hash ^ value) * Prime;
        }

        return hash;
    }
}

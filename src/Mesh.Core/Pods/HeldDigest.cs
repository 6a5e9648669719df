using System.Text;

namespace Mesh.Core.Pods;

/// <summary>
/// What a node holds of one namespace, in a few bytes. Computed alike by the node and by the registry, whatever order
/// the Pods are listed in: where the two differ, one of them missed something.
/// </summary>
public readonly record struct HeldDigest(ulong Hash, int Count)
{
    public static HeldDigest Of(IEnumerable<(string Name, string Uid, ulong Liveness)> pods)
    {
        ulong hash = 0;
        var count = 0;
        foreach (var (name, uid, liveness) in pods)
        {
            // Neither a name nor a uid holds a newline, so no two Pods give the same bytes.
            var one = new Fnv1a();
            one.Add(Encoding.UTF8.GetBytes($"{name}\n{uid}\n{liveness}"));
            hash += one.Value ^ (one.Value >> 29);
            count++;
        }

        return new HeldDigest(hash, count);
    }
}

using Mesh.Core;

namespace Mesh.Grains.Keeping;

/// <summary>
/// Rendezvous (highest random weight) hashing: every silo computes alike who keeps a key, and a silo that comes or goes
/// moves only its own keys.
/// </summary>
public static class Rendezvous
{
    /// <summary>The member with the greatest weight for this key; of equal ones the first by name.</summary>
    public static string Owner(string key, IReadOnlyCollection<string> members)
    {
        var owner = "";
        var greatest = 0UL;
        foreach (var member in members)
        {
            var weight = Weight(key, member);
            if (owner.Length == 0 || weight > greatest || (weight == greatest && string.CompareOrdinal(member, owner) < 0))
            {
                (owner, greatest) = (member, weight);
            }
        }

        return owner;
    }

    private static ulong Weight(string key, string member)
    {
        var hash = new Fnv1a();
        hash.Add(key);
        hash.Add(member);
        return Mix(hash.Value);
    }

    // The finalizer of SplitMix64: FNV alone spreads members of similar names badly.
    private static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}

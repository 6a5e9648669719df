using Mesh.Core.Pods;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink;

/// <summary>The digest of a namespace's Pods as the link carries it.</summary>
public static class PodDigest
{
    public static Digest Of(string ns, IEnumerable<(string Name, string Uid, ulong Liveness)> pods)
    {
        var digest = HeldDigest.Of(pods);
        return new Digest { Namespace = ns, Hash = digest.Hash, Count = digest.Count };
    }
}

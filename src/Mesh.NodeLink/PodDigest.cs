using System.IO.Hashing;
using System.Text;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink;

/// <summary>The digest of a namespace's Pods, computed alike at both ends: what differs is reported again.</summary>
public static class PodDigest
{
    public static Digest Of(string ns, IEnumerable<(string Name, string Uid, ulong Liveness)> pods)
    {
        var hash = new XxHash3();
        var count = 0;
        Span<byte> liveness = stackalloc byte[8];
        foreach (var pod in pods.OrderBy(pod => pod.Name, StringComparer.Ordinal))
        {
            // Neither a name nor a uid holds a newline, so no two lists give the same bytes.
            hash.Append(Encoding.UTF8.GetBytes(pod.Name + "\n" + pod.Uid + "\n"));
            BitConverter.TryWriteBytes(liveness, pod.Liveness);
            hash.Append(liveness);
            count++;
        }

        return new Digest { Namespace = ns, Hash = hash.GetCurrentHashAsUInt64(), Count = count };
    }
}

using System.Collections.Concurrent;
using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Nodes;

/// <summary>What Pods show of their node, read once per change of a Node and not once per Pod.</summary>
public sealed class KnownNodes(IWatchCache cache)
{
    private readonly ConcurrentDictionary<string, KnownNode> _read = new(StringComparer.Ordinal);

    /// <summary>The node as the cache has it now; null when there is none of that name.</summary>
    public KnownNode? Of(string name)
    {
        if (cache.Get(Kinds.Node(name)) is not { } stored)
        {
            _read.TryRemove(name, out _);
            return null;
        }

        if (!_read.TryGetValue(name, out var known) || !ReferenceEquals(known.Stored, stored))
        {
            _read[name] = known = new KnownNode(stored, [.. NodeDocument.Addresses(stored.Document)], NodeDocument.IsSilent(stored.Document));
        }

        return known;
    }
}

/// <summary>A Node object, with what was read from its document.</summary>
/// <param name="IsSilent">Nothing has been heard of it.</param>
public sealed record KnownNode(StoredObject Stored, IReadOnlyList<string> Addresses, bool IsSilent)
{
    /// <summary>The first, as a Pod on the machine's own address has it; empty while none is told.</summary>
    public string Address => Addresses is [var first, ..] ? first : "";
}

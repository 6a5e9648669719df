using System.Collections.Concurrent;
using System.Net;
using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Nodes;

/// <summary>What Pods show of their node, read once per change of a Node and not once per Pod.</summary>
public sealed class KnownNodes(IWatchCache cache)
{
    private readonly ConcurrentDictionary<string, KnownNode> _read = new(StringComparer.Ordinal);
    private ServingNodes _serving = new([], []);

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
            _read[name] = known = new KnownNode(stored, [.. NodeDocument.Addresses(stored.Document)], NodeDocument.ReadyStatus(stored.Document));
        }

        return known;
    }

    /// <summary>The addresses of all nodes that are heard of, in order.</summary>
    public IReadOnlyList<string> Serving()
    {
        var nodes = cache.List("", "Node", null).Items; // one list while no Node changes
        var serving = Volatile.Read(ref _serving);
        if (!ReferenceEquals(serving.Nodes, nodes))
        {
            Volatile.Write(ref _serving, serving = new ServingNodes(nodes, AddressesOf(nodes)));
        }

        return serving.Addresses;
    }

    private string[] AddressesOf(IEnumerable<StoredObject> nodes) =>
    [
        .. nodes.Select(node => Of(node.Key.Name)).OfType<KnownNode>()
            .Where(node => node.Ready == "True")
            .SelectMany(node => node.Addresses)
            .Where(address => IPAddress.TryParse(address, out _))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private sealed record ServingNodes(IReadOnlyList<StoredObject> Nodes, string[] Addresses);
}

/// <summary>A Node object, with what was read from its document.</summary>
/// <param name="Ready">The status of its Ready condition.</param>
public sealed record KnownNode(StoredObject Stored, IReadOnlyList<string> Addresses, string? Ready)
{
    /// <summary>Nothing has been heard of it.</summary>
    public bool IsSilent => Ready == "Unknown";

    /// <summary>The first, as a Pod on the machine's own address has it; empty while none is told.</summary>
    public string Address => Addresses is [var first, ..] ? first : "";
}

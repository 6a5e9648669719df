using System.Collections.Concurrent;
using Mesh.Grains.Gateways;

namespace Mesh.Silo.Links;

/// <summary>The link sessions that end on this silo now.</summary>
internal sealed class OpenLinks : IGatewayLinks
{
    private readonly ConcurrentDictionary<string, GatewayLink> _links = new(StringComparer.Ordinal);

    /// <summary>Whether some node's snapshot has everything that this silo knew when it linked.</summary>
    public bool AnySynced => _links.Values.Any(link => link.IsSynced);

    public IGatewayLink? Find(string session) => _links.GetValueOrDefault(session);

    public void Add(string session, GatewayLink link) => _links[session] = link;

    public void Remove(string session) => _links.TryRemove(session, out _);
}

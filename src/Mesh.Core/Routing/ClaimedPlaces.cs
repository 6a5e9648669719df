using System.Collections.Immutable;
using System.Net;

namespace Mesh.Core.Routing;

/// <summary>
/// The NodePorts and LoadBalancer ports that the node of this machine listens on, or is about to. Found by port first: an
/// endpoint is seldom on one, and to learn that costs one look.
/// </summary>
public sealed class ClaimedPlaces
{
    private readonly ImmutableDictionary<int, ImmutableArray<IPAddress>> _byPort;

    private ClaimedPlaces(ImmutableDictionary<int, ImmutableArray<IPAddress>> byPort) => _byPort = byPort;

    public static ClaimedPlaces None { get; } = new(ImmutableDictionary<int, ImmutableArray<IPAddress>>.Empty);

    public bool Contains(IPAddress address, int port) => _byPort.TryGetValue(port, out var addresses) && addresses.Contains(address);

    public ClaimedPlaces Add(IPEndPoint place) =>
        Contains(place.Address, place.Port) ? this : new(_byPort.SetItem(place.Port, _byPort.GetValueOrDefault(place.Port, []).Add(place.Address)));

    public ClaimedPlaces Remove(IPEndPoint place)
    {
        if (!Contains(place.Address, place.Port))
        {
            return this;
        }

        var rest = _byPort[place.Port].Remove(place.Address);
        return new(rest.IsEmpty ? _byPort.Remove(place.Port) : _byPort.SetItem(place.Port, rest));
    }
}

using System.Net;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L4;

/// <summary>
/// Places that a Service wants and a Pod has: the Pod's for a while after its endpoint was last seen there, since a process
/// that restarts wants its port back, and so does the next Pod of its name. Held by the loop of <see cref="ServiceListeners"/>.
/// </summary>
internal sealed class PodPlaces(TimeSpan keptFor, TimeProvider time)
{
    private readonly Dictionary<IPEndPoint, (EndpointPlace Endpoint, long Seen)> _places = [];
    private long _swept = time.GetTimestamp();

    /// <summary>Whose endpoint is or was there; null when the place is free.</summary>
    /// <param name="endpoint">Which is there now, if one is.</param>
    public EndpointPlace? OwnerOf(IPEndPoint place, EndpointPlace? endpoint)
    {
        Sweep();
        if (endpoint is not null)
        {
            _places[place] = (endpoint, time.GetTimestamp());
            return endpoint;
        }

        return _places.TryGetValue(place, out var last) && IsKept(last.Seen) ? last.Endpoint : null;
    }

    private bool IsKept(long seen) => time.GetElapsedTime(seen) < keptFor;

    /// <summary>So there are never more than Pods were met in the time that two sweeps take.</summary>
    private void Sweep()
    {
        if (IsKept(_swept))
        {
            return;
        }

        _swept = time.GetTimestamp();
        foreach (var (place, last) in _places)
        {
            if (!IsKept(last.Seen))
            {
                _places.Remove(place); // allowed while it is walked
            }
        }
    }
}

using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// Endpoints of this machine's table that lie where the node itself answers a Service: whose they are, so that they are
/// judged again when the node leaves the place, and which of them nobody was told of yet. There are hardly ever any.
/// </summary>
internal sealed class RefusedEndpoints
{
    private readonly Dictionary<IPEndPoint, List<EndpointPlace>> _at = [];
    private readonly List<RefusedEndpoint> _untold = [];

    public void Move(EndpointPlace endpoint, ImmutableArray<IPEndPoint> before, ImmutableArray<IPEndPoint> after)
    {
        foreach (var place in before.Except(after))
        {
            var rest = _at[place];
            rest.Remove(endpoint);
            if (rest.Count == 0)
            {
                _at.Remove(place);
            }

            if (!rest.Exists(other => other.Service == endpoint.Service))
            {
                _untold.Add(new RefusedEndpoint(endpoint, place, IsRefused: false));
            }
        }

        foreach (var place in after.Except(before))
        {
            if (!_at.TryGetValue(place, out var here))
            {
                _at[place] = here = [];
            }

            var isFirst = !here.Exists(other => other.Service == endpoint.Service);
            here.Add(endpoint);
            if (isFirst)
            {
                _untold.Add(new RefusedEndpoint(endpoint, place, IsRefused: true));
            }
        }
    }

    public ImmutableArray<NamespacedName> ServicesAt(IPEndPoint place) =>
        _at.TryGetValue(place, out var here) ? [.. here.Select(endpoint => endpoint.Service).Distinct()] : [];

    public ImmutableArray<RefusedEndpoint> TakeUntold()
    {
        ImmutableArray<RefusedEndpoint> untold = [.. _untold];
        _untold.Clear();
        return untold;
    }
}

/// <summary>Whose endpoint is somewhere.</summary>
public sealed record EndpointPlace(NamespacedName Service, NamespacedName Pod);

/// <summary>An endpoint that is not used since the node answers a Service there; or, of its Service, none is there any more.</summary>
public sealed record RefusedEndpoint(EndpointPlace Endpoint, IPEndPoint Place, bool IsRefused);

using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L4;

/// <summary>
/// Asked by the L4 proxy before it listens anywhere but on a ClusterIP: the owner of the snapshot decides who has a place,
/// the Service or an endpoint, so that no endpoint is ever where the proxy itself listens.
/// </summary>
public interface IFrontendPlaces
{
    /// <summary>The places where an endpoint is, and whose.</summary>
    ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> FindEndpointsAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop);

    /// <summary>
    /// These are bound, and become the proxy's once the answer is there: an endpoint that comes there later is not used. The
    /// answer names those that are not the proxy's, since an endpoint has come there before.
    /// </summary>
    ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> ClaimAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop);

    /// <summary>The proxy listens on these no longer.</summary>
    ValueTask ReleaseAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop);
}

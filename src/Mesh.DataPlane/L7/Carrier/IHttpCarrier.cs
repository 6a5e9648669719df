using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7.Carrier;

/// <summary>Carries one exchange between a client and an endpoint: the seam behind which a faster carrier can take YARP's place.</summary>
internal interface IHttpCarrier : IDisposable
{
    /// <summary>One attempt, which ends when the client goes. Unless it answered, and before the first byte of an answer, the response is as it was.</summary>
    ValueTask<CarryOutcome> CarryAsync(Exchange exchange, Target target);

    /// <summary>Whether the endpoint owes answers and gives none, so that another is to be preferred.</summary>
    /// <param name="isNews">It has just become so.</param>
    bool IsPassedOver(NamespacedName service, Target target, bool mayTry, out bool isNews);

    /// <summary>Closes the unused connections to endpoints of the Service that are not in <paramref name="usable"/>; what is under way goes on.</summary>
    void Retain(NamespacedName service, ImmutableHashSet<EndpointKey> usable);
}

/// <summary>A Pod and where it is reached: a Pod that takes over an address takes over no connection.</summary>
internal readonly record struct EndpointKey(string PodUid, System.Net.IPEndPoint Address)
{
    public static EndpointKey Of(Target target) => new(target.Endpoint.Order.Uid, target.Address);
}

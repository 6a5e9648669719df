using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane;

/// <summary>
/// The lines about what may happen with every connection: clients decide how often, so each Service, or Pod of one, is told of once
/// a minute. How often it was stands in the next line, and in the instruments.
/// </summary>
internal sealed class SeldomLines(ILogger log, TimeProvider time)
{
    private readonly ToldSeldomOfEach<(NamespacedName Service, NamespacedName Pod)> _refused = new(time);
    private readonly ToldSeldomOfEach<(NamespacedName Service, NamespacedName Pod)> _silent = new(time);
    private readonly ToldSeldomOfEach<NamespacedName> _acceptFailed = new(time);
    private readonly ToldSeldomOfEach<NamespacedName> _tooMany = new(time);
    private readonly ToldSeldomOfEach<NamespacedName> _failed = new(time);

    public void EndpointRefused(NamespacedName service, Target target, string error)
    {
        if (_refused.Count((service, target.Endpoint.Pod)) is > 0 and var times)
        {
            DataPlaneLog.EndpointRefused(log, service, target.Endpoint.Pod, target.Address, error, times);
        }
    }

    public void EndpointSilent(NamespacedName service, Target target)
    {
        if (_silent.Count((service, target.Endpoint.Pod)) is > 0 and var times)
        {
            DataPlaneLog.EndpointSilent(log, service, target.Endpoint.Pod, target.Address, times);
        }
    }

    public void AcceptFailed(NamespacedName service, IPEndPoint address, string error)
    {
        if (_acceptFailed.Count(service) is > 0 and var times)
        {
            DataPlaneLog.AcceptFailed(log, service, address, error, times);
        }
    }

    public void ConnectionFailed(NamespacedName service, Exception failure)
    {
        if (_failed.Count(service) is > 0 and var times)
        {
            DataPlaneLog.ConnectionFailed(log, service, times, failure);
        }
    }

    public void TooManyConnections(NamespacedName service, IPEndPoint address)
    {
        if (_tooMany.Count(service) > 0)
        {
            DataPlaneLog.TooManyConnections(log, service, address);
        }
    }
}

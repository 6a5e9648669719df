using System.Net;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Events;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// What a Service shows of its endpoints: without those that may not be, of which its Events tell, each once while it
/// lasts. The rows themselves go on to the nodes as they are: each node leaves out what it must not reach, by its own
/// listeners, also when those change and no row does.
/// </summary>
internal sealed class PublishedEndpoints(EndpointRule rule, EventRecorder events)
{
    /// <summary>Different places told of one Service at a time: a mistake repeats itself over all its Pods.</summary>
    private const int MostTold = 8;

    private readonly HashSet<(IPAddress Address, int Port)> _told = [];

    public IReadOnlyList<EndpointRow> Of(StoredObject service, IEnumerable<EndpointRow> rows)
    {
        var published = new List<EndpointRow>();
        var refused = new Dictionary<(IPAddress Address, int Port), (string Pod, string Why)>();
        foreach (var row in rows)
        {
            if (row.Address is not { } address)
            {
                continue;
            }

            if (rule.WhyNot(address) is { } why)
            {
                refused.TryAdd((address, 0), (row.PodName, why));
                continue;
            }

            var ports = row.Ports;
            foreach (var port in row.Ports)
            {
                if (rule.WhyNot(address, port.Number) is { } own)
                {
                    refused.TryAdd((address, port.Number), (row.PodName, own));
                    ports = [.. ports.Where(other => other.Number != port.Number)];
                }
            }

            if (ports.Length > 0 || row.Ports.Length == 0)
            {
                published.Add(ports.Length == row.Ports.Length ? row : row with { Ports = ports });
            }
        }

        Tell(service, refused);
        return published;
    }

    private void Tell(StoredObject service, Dictionary<(IPAddress Address, int Port), (string Pod, string Why)> refused)
    {
        _told.RemoveWhere(place => !refused.ContainsKey(place));
        foreach (var (place, (pod, why)) in refused)
        {
            if (_told.Count < MostTold && _told.Add(place))
            {
                var where = place.Port == 0 ? place.Address.ToString() : new IPEndPoint(place.Address, place.Port).ToString();
                events.Record(service, isWarning: true, "EndpointNotAllowed", $"Pod {pod} is no endpoint: {where} {why}");
            }
        }
    }
}

using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;

namespace Mesh.Grains.Gateways;

/// <summary>Turns endpoint rows as grains send them into the endpoints that a node routes by.</summary>
internal static class RoutedEndpoints
{
    public static ImmutableArray<Endpoint> Of(string ns, IEnumerable<EndpointRow> rows) => [.. rows.Select(row => Of(ns, row))];

    private static Endpoint Of(string ns, EndpointRow row) => new()
    {
        Pod = NamespacedName.Of(ns, row.PodName),
        Order = Orders.Of(row.Order),
        Address = row.Address ?? IPAddress.None,
        Ports = [.. row.Ports.Select(port => new EndpointPort(port.Name, (TransportProtocol)port.Protocol, port.Number))],
        NodeName = row.NodeName,
        Ready = row.IsReady,
        Serving = row.IsServing,
        Terminating = row.IsTerminating,
        IsRegistered = row.IsRegistered,
        Ended = row.IsEnded,
    };
}

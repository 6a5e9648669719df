using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Registry;

namespace Mesh.Grains.Services;

/// <summary>Endpoints computed from the rows of Pods and one spec of a Service.</summary>
internal static class EndpointSource
{
    /// <summary>A Pod that is not selected, or has no address, is a tombstone.</summary>
    public static EndpointRow RowOf(Service service, PodRow pod)
    {
        var ports = EndpointSelection.PortsFor(
            service, [.. pod.Ports.Select(port => new ContainerPort(port.Name, port.Number, (TransportProtocol)port.Protocol))]);
        return new EndpointRow(
            pod.Name,
            pod.Order,
            pod.Address,
            [.. ports.Select(port => new PodPort(port.Name, (byte)port.Protocol, port.Number))],
            pod.NodeName,
            EndpointSelection.IsReady(service, pod.IsReady, pod.IsTerminating),
            pod.IsReady,
            pod.IsTerminating,
            pod.IsRegistered,
            pod.IsEnded || pod.Address is null || !service.Selector.Selects(pod.Labels));
    }

    public static bool IsSelecting(Service service) => !service.Selector.IsEmpty && service.Type != ServiceType.ExternalName;

    public static bool HasSameEndpoints(Service left, Service right) =>
        left.PublishNotReadyAddresses == right.PublishNotReadyAddresses
        && left.Ports.SequenceEqual(right.Ports)
        && IsSelecting(left) == IsSelecting(right)
        && HasSameSelector(left, right);

    public static bool HasSameSelector(Service left, Service right) => Core.Labels.LabelMap.Same(left.Selector, right.Selector);
}

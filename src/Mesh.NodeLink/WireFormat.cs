using System.Diagnostics;
using System.Net;
using Google.Protobuf;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.NodeLink;

/// <summary>The one place where the link's messages and Core's records turn into each other.</summary>
public static class WireFormat
{
    public static Wire.Change ToWire(RoutingChange change) => change switch
    {
        RoutingChange.ServiceSpec service => new Wire.Change
        {
            Service = new Wire.ServiceChange { Object = ToWire(service.Object), Endpoints = service.Endpoints is null ? null : ToWire(service.Endpoints) },
        },
        RoutingChange.ServiceEndpoints service => new Wire.Change
        {
            Service = new Wire.ServiceChange { Object = Gone(service.Service, service.Endpoints.ServiceUid), Endpoints = ToWire(service.Endpoints) },
        },
        RoutingChange.ServiceRemoved removed => new Wire.Change
        {
            Service = new Wire.ServiceChange { Object = Gone(removed.Service, removed.Uid), Removed = true },
        },
        RoutingChange.IngressSpec ingress => new Wire.Change { Ingress = ToWire(ingress.Object) },
        RoutingChange.IngressRemoved removed => new Wire.Change { Ingress = Gone(removed.Ingress, removed.Uid) },
        RoutingChange.IngressClass named => new Wire.Change { IngressClass = new Wire.IngressClassChange { Name = named.Name, Ours = named.IsOurs } },
        RoutingChange.Certificate certificate => new Wire.Change { Certificate = ToWire(certificate.Object) },
        RoutingChange.CertificateRemoved removed => new Wire.Change { Certificate = Gone(removed.Secret, "") },
        RoutingChange.DefaultCertificate certificate => new Wire.Change
        {
            DefaultCertificate = new Wire.DefaultCertificateChange { Pem = UnsafeByteOperations.UnsafeWrap(certificate.Pem) },
        },
        RoutingChange.PodSpec pod => new Wire.Change { Pod = ToWire(pod.Object) },
        RoutingChange.PodRemoved removed => new Wire.Change { Pod = Gone(removed.Pod, removed.Uid) },
        RoutingChange.NamespaceExists ns => new Wire.Change { Namespace = new Wire.NamespaceChange { Name = ns.Name, Exists = ns.Exists } },
        RoutingChange.NodeSilent node => new Wire.Change { Node = new Wire.NodeChange { Name = node.Node, Silent = node.IsSilent } },
        _ => throw new UnreachableException(),
    };

    /// <exception cref="FormatException">The message is not one that this version understands.</exception>
    public static RoutingChange FromWire(Wire.Change change) => change.BodyCase switch
    {
        Wire.Change.BodyOneofCase.Service => FromWire(change.Service),
        Wire.Change.BodyOneofCase.Ingress => IsGone(change.Ingress)
            ? new RoutingChange.IngressRemoved(Name(change.Ingress), change.Ingress.Uid)
            : new RoutingChange.IngressSpec(FromWire(change.Ingress)),
        Wire.Change.BodyOneofCase.Pod => IsGone(change.Pod)
            ? new RoutingChange.PodRemoved(Name(change.Pod), change.Pod.Uid)
            : new RoutingChange.PodSpec(FromWire(change.Pod)),
        Wire.Change.BodyOneofCase.Namespace => new RoutingChange.NamespaceExists(change.Namespace.Name, change.Namespace.Exists),
        Wire.Change.BodyOneofCase.IngressClass => new RoutingChange.IngressClass(change.IngressClass.Name, change.IngressClass.Ours),
        Wire.Change.BodyOneofCase.Certificate => IsGone(change.Certificate)
            ? new RoutingChange.CertificateRemoved(Name(change.Certificate))
            : new RoutingChange.Certificate(FromWire(change.Certificate)),
        Wire.Change.BodyOneofCase.DefaultCertificate => new RoutingChange.DefaultCertificate(change.DefaultCertificate.Pem.Memory),
        Wire.Change.BodyOneofCase.Node => new RoutingChange.NodeSilent(change.Node.Name, change.Node.Silent),
        var unknown => throw new FormatException($"A change of kind {unknown} is not known to this version."),
    };

    public static Wire.EndpointsChange ToWire(EndpointsChange change)
    {
        var message = new Wire.EndpointsChange { Full = change.IsFull, Synced = change.IsSynced, SpecVersion = change.SpecVersion };
        message.Rows.AddRange(change.Rows.Select(ToWire));
        return message;
    }

    public static Wire.Endpoint ToWire(Endpoint row)
    {
        var message = new Wire.Endpoint
        {
            Pod = row.Pod.Name,
            Uid = row.Order.Uid,
            CreatedVersion = row.Order.CreatedVersion,
            SpecVersion = row.Order.SpecVersion,
            Liveness = row.Order.Liveness,
            Address = UnsafeByteOperations.UnsafeWrap(row.Address.GetAddressBytes()),
            Node = row.NodeName,
            Ready = row.Ready,
            Serving = row.Serving,
            Terminating = row.Terminating,
            Registered = row.IsRegistered,
            Ended = row.Ended,
        };
        message.Ports.AddRange(row.Ports.Select(port => new Wire.EndpointPort { Name = port.Name, Protocol = (int)port.Protocol, Number = port.Number }));
        return message;
    }

    /// <param name="ns">A Service's endpoints are Pods of its own namespace.</param>
    public static Endpoint FromWire(Wire.Endpoint row, string ns) => new()
    {
        Pod = NamespacedName.Of(ns, row.Pod),
        Order = new RowOrder(row.Uid, row.CreatedVersion, row.SpecVersion, row.Liveness),
        Address = row.Address.Length is 4 or 16
            ? new IPAddress(row.Address.Span)
            : throw new FormatException($"The endpoint {ns}/{row.Pod} has an address of {row.Address.Length} bytes."),
        Ports = [.. row.Ports.Select(FromWire)],
        NodeName = row.Node,
        Ready = row.Ready,
        Serving = row.Serving,
        Terminating = row.Terminating,
        IsRegistered = row.Registered,
        Ended = row.Ended,
    };

    private static EndpointPort FromWire(Wire.EndpointPort port) => port.Number is > 0 and <= 65535 && Enum.IsDefined((TransportProtocol)port.Protocol)
        ? new EndpointPort(port.Name, (TransportProtocol)port.Protocol, port.Number)
        : throw new FormatException($"The endpoint port {port.Name} ({port.Protocol}/{port.Number}) is not one.");

    private static RoutingChange FromWire(Wire.ServiceChange change)
    {
        var name = Name(change.Object);
        if (change.Removed)
        {
            return new RoutingChange.ServiceRemoved(name, change.Object.Uid);
        }

        var endpoints = change.Endpoints is null ? null : new EndpointsChange(
            change.Object.Uid,
            change.Endpoints.Full,
            change.Endpoints.Synced,
            change.Endpoints.SpecVersion,
            [.. change.Endpoints.Rows.Select(row => FromWire(row, name.Namespace))]);
        if (!IsGone(change.Object))
        {
            return new RoutingChange.ServiceSpec(FromWire(change.Object), endpoints);
        }

        return endpoints is null
            ? throw new FormatException($"The change of Service {name} says nothing.")
            : new RoutingChange.ServiceEndpoints(name, endpoints);
    }

    private static Wire.ObjectChange ToWire(ObjectDocument document) => new()
    {
        Namespace = document.Name.Namespace,
        Name = document.Name.Name,
        Uid = document.Uid,
        ResourceVersion = document.ResourceVersion,
        CreatedVersion = document.CreatedVersion,
        Document = UnsafeByteOperations.UnsafeWrap(document.Document),
    };

    private static ObjectDocument FromWire(Wire.ObjectChange change) =>
        new(Name(change), change.Uid, change.ResourceVersion, change.CreatedVersion, change.Document.Memory);

    private static Wire.ObjectChange Gone(NamespacedName name, string uid) => new() { Namespace = name.Namespace, Name = name.Name, Uid = uid };

    private static bool IsGone(Wire.ObjectChange change) => change.Document.IsEmpty;

    private static NamespacedName Name(Wire.ObjectChange change) => NamespacedName.Of(change.Namespace, change.Name);
}

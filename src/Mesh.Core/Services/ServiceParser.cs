using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Core.Services;

/// <summary>Reads a stored (admitted, defaulted) Service document.</summary>
public static class ServiceParser
{
    private const string Headless = "None";
    private const string VirtualAddress = "VIP";

    /// <exception cref="FormatException">The document is not an admitted Service.</exception>
    public static Service Parse(ReadOnlyMemory<byte> document, long createdVersion) =>
        JsonFields.Read(document, "Service", root => Read(root, createdVersion));

    internal static TransportProtocol Protocol(JsonElement port) => port.Text("protocol") switch
    {
        null or "TCP" => TransportProtocol.Tcp,
        "UDP" => TransportProtocol.Udp,
        "SCTP" => TransportProtocol.Sctp,
        var other => throw new FormatException($"'protocol' is not TCP, UDP or SCTP: '{other}'."),
    };

    internal static int PortNumber(JsonElement parent, string name) =>
        parent.Number(name) is { } number and > 0 and <= IPEndPoint.MaxPort
            ? number
            : throw new FormatException($"'{name}' is not a port from 1 to 65535.");

    private static Service Read(JsonElement root, long createdVersion)
    {
        var meta = ObjectMeta.Of(root);
        var spec = root.Child("spec");
        var type = Type(spec);
        return new Service
        {
            Name = meta.Name,
            Uid = meta.Uid,
            ResourceVersion = meta.ResourceVersion,
            CreatedVersion = createdVersion,
            IsDeleting = meta.IsDeleting,
            Type = type,
            ClusterIPs = ClusterIPs(spec),
            LoadBalancerAddresses = type == ServiceType.LoadBalancer ? LoadBalancerAddresses(root) : [],
            UnansweredPorts = type == ServiceType.LoadBalancer ? UnansweredPorts(root) : [],
            IsHeadless = spec.Text("clusterIP") == Headless,
            Selector = ObjectMeta.Map(spec, "selector"),
            Ports = [.. spec.Items("ports").Select(port => Port(port, type))],
            PublishNotReadyAddresses = spec.Flag("publishNotReadyAddresses"),
            ExternalName = spec.Text("externalName") is { Length: > 0 } name ? name : null,
        };
    }

    private static ServiceType Type(JsonElement spec) => spec.Text("type") switch
    {
        null or "" or "ClusterIP" => ServiceType.ClusterIP,
        "NodePort" => ServiceType.NodePort,
        "LoadBalancer" => ServiceType.LoadBalancer,
        "ExternalName" => ServiceType.ExternalName,
        var other => throw new FormatException($"'type' is not a Service type: '{other}'."),
    };

    private static ImmutableArray<IPAddress> ClusterIPs(JsonElement spec)
    {
        var texts = spec.Has("clusterIPs")
            ? spec.Items("clusterIPs").Select(item => item.GetString())
            : [spec.Text("clusterIP")];
        return
        [
            .. texts.Where(text => text is { Length: > 0 } and not Headless).Select(text =>
                AddressText.TryParse(text, out var address)
                    ? address
                    : throw new FormatException($"'clusterIPs' holds what is no address: '{text}'.")),
        ];
    }

    /// <summary>
    /// Anybody who may write a status writes these, so what no machine can have is left out and harms nothing else:
    /// 0.0.0.0 above all, which would be every address.
    /// </summary>
    private static ImmutableArray<IPAddress> LoadBalancerAddresses(JsonElement root)
    {
        var addresses = ImmutableArray.CreateBuilder<IPAddress>();
        foreach (var ingress in Ingresses(root))
        {
            if (ingress.Text("ipMode") is null or VirtualAddress
                && AddressText.TryParse(ingress.Text("ip"), out var address)
                && EndpointRule.WhyNoMachine(address) is null
                && !addresses.Contains(address))
            {
                addresses.Add(address);
            }
        }

        return addresses.DrainToImmutable();
    }

    private static ImmutableArray<UnansweredPort> UnansweredPorts(JsonElement root)
    {
        var unanswered = ImmutableArray.CreateBuilder<UnansweredPort>();
        foreach (var ingress in Ingresses(root))
        {
            foreach (var port in ingress.Items("ports"))
            {
                if (port.Text("error") is { Length: > 0 } && AddressText.TryParse(ingress.Text("ip"), out var address))
                {
                    unanswered.Add(new UnansweredPort(address, Protocol(port), PortNumber(port, "port")));
                }
            }
        }

        return unanswered.DrainToImmutable();
    }

    private static JsonElement.ArrayEnumerator Ingresses(JsonElement root) => root.Child("status").Child("loadBalancer").Items("ingress");

    private static ServicePort Port(JsonElement port, ServiceType type)
    {
        var number = PortNumber(port, "port");
        return new ServicePort(port.Text("name") ?? "", Protocol(port), number, Target(port, number), port.Text("appProtocol"), NodePort(port, type));
    }

    private static int NodePort(JsonElement port, ServiceType type)
    {
        if (type is not (ServiceType.NodePort or ServiceType.LoadBalancer))
        {
            return 0;
        }

        return port.Number("nodePort") switch
        {
            null or 0 => 0,
            _ => PortNumber(port, "nodePort"),
        };
    }

    private static TargetPort Target(JsonElement port, int number)
    {
        if (!port.TryGetProperty("targetPort", out var target))
        {
            return new TargetPort.Number(number);
        }

        // The API server's default: absent, 0 and "" all mean the Service's own port.
        return target.ValueKind switch
        {
            JsonValueKind.Null => new TargetPort.Number(number),
            JsonValueKind.String => target.GetString() is { Length: > 0 } name ? new TargetPort.Named(name) : new TargetPort.Number(number),
            JsonValueKind.Number when target.TryGetInt32(out var zero) && zero == 0 => new TargetPort.Number(number),
            JsonValueKind.Number => new TargetPort.Number(PortNumber(port, "targetPort")),
            _ => throw new FormatException("'targetPort' is neither a number nor a name."),
        };
    }
}

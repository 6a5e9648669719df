using System.Text.Json;
using Mesh.Agent.Http;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Agent.Discovery;

/// <summary>A Service as this machine routes it, for applications of this machine.</summary>
internal static class ServiceDocument
{
    /// <summary>Whoever asks for a list wants to look around; a program asks by name.</summary>
    private const int MostListed = 1_000;

    /// <summary>One Service with its endpoints, and a newline.</summary>
    /// <param name="revision">Of the snapshot: grows for as long as the node lives.</param>
    public static byte[] One(ServiceRoute route, long revision, string clusterDomain) => JsonBody.Write(json =>
    {
        json.WriteStartObject();
        WriteService(json, route.Service);
        json.WriteString("host", $"{route.Service.Name.Name}.{route.Service.Name.Namespace}.svc.{clusterDomain}");
        json.WriteNumber("revision", revision);
        var usable = route.Ports.Select(Usable).ToArray();
        json.WriteStartArray("endpoints");
        foreach (var endpoint in route.Endpoints)
        {
            WriteEndpoint(json, route, usable, endpoint);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>The Services of one namespace by name, without their endpoints; <c>remaining</c> says how many were left out.</summary>
    public static byte[] List(RoutingSnapshot routes, string ns)
    {
        var found = routes.Services.Values.Where(route => route.Service.Name.Namespace == ns).OrderBy(route => route.Service.Name).ToList();
        return JsonBody.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var route in found.Take(MostListed))
            {
                json.WriteStartObject();
                WriteService(json, route.Service);
                json.WriteNumber("ready", route.Endpoints.Count(endpoint => endpoint.Ready));
                json.WriteNumber("total", route.Endpoints.Length);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("remaining", Math.Max(0, found.Count - MostListed));
            json.WriteEndObject();
        });
    }

    private static void WriteService(Utf8JsonWriter json, Service service)
    {
        json.WriteString("namespace", service.Name.Namespace);
        json.WriteString("name", service.Name.Name);
        json.WriteString("uid", service.Uid);
        json.WriteString("type", service.Type.ToString());
        if (service.IsHeadless || !service.ClusterIPs.IsEmpty)
        {
            json.WriteString("clusterIP", service.IsHeadless ? "None" : service.ClusterIPs[0].ToString());
        }

        if (service.ExternalName is { } external)
        {
            json.WriteString("externalName", external);
        }

        json.WriteStartArray("ports");
        foreach (var port in service.Ports)
        {
            json.WriteStartObject();
            json.WriteString("name", port.Name);
            json.WriteNumber("port", port.Port);
            json.WriteString("protocol", port.Protocol.Word());
            if (port.AppProtocol is { } spoken)
            {
                json.WriteString("appProtocol", spoken);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteEndpoint(Utf8JsonWriter json, ServiceRoute route, HashSet<Endpoint>[] usable, Endpoint endpoint)
    {
        json.WriteStartObject();
        json.WriteString("pod", endpoint.Pod.Name);
        json.WriteString("address", endpoint.Address.ToString());
        json.WriteString("node", endpoint.NodeName);
        json.WriteBoolean("ready", endpoint.Ready);
        json.WriteBoolean("serving", endpoint.Serving);
        json.WriteBoolean("terminating", endpoint.Terminating);
        json.WriteStartArray("ports");
        for (var i = 0; i < route.Ports.Length; i++)
        {
            var port = route.Ports[i].Port;
            if (endpoint.NumberOf(port) is { } number)
            {
                json.WriteStartObject();
                json.WriteString("name", port.Name);
                json.WriteString("protocol", port.Protocol.Word());
                json.WriteNumber("port", number);
                json.WriteBoolean("usable", usable[i].Contains(endpoint));
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Where this machine sends traffic of the port now: ready ones, and others only where there are none.</summary>
    private static HashSet<Endpoint> Usable(PortRoute port) =>
        port.Usable.Select(target => target.Endpoint).ToHashSet((IEqualityComparer<Endpoint>)ReferenceEqualityComparer.Instance);
}

using System.Globalization;
using System.Text.Json;
using Mesh.Agent.Registrations;
using Mesh.Core.Json;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Microsoft.AspNetCore.Http;

namespace Mesh.Agent.Http;

/// <summary>
/// <c>GET /v1/services?port=8080</c>: the Services whose ClusterIP this machine serves at a port. For a process that is
/// about to listen on every address, which excludes those: it has no credentials of the API, and learns only what any
/// process of this machine can learn by connecting.
/// </summary>
internal static class ServicesAtPort
{
    /// <summary>Whoever asks wants an example to name, not a list.</summary>
    private const int Most = 10;

    public static (Refusal? Refused, byte[] Answer) Answer(HttpRequest request, RoutingSnapshot routes)
    {
        if (!HttpMethods.IsGet(request.Method))
        {
            return (Refusal.MethodNotAllowed($"{request.Method} is not for Services; GET is.", "GET"), []);
        }

        var text = request.Query["port"].ToString();
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535
            ? (null, Write(routes, port))
            : (Refusal.BadRequest($"port: '{text}' is not between 1 and 65535; ask for /v1/services?port=8080."), []);
    }

    private static byte[] Write(RoutingSnapshot routes, int port)
    {
        var found = from route in routes.Services.Values
                    where route.Service.Ports.Any(served => served.Port == port && served.Protocol == TransportProtocol.Tcp)
                    from address in route.Service.ClusterIPs.Take(1)
                    orderby route.Service.Name.Namespace, route.Service.Name.Name
                    select new { route.Service.Name.Namespace, route.Service.Name.Name, ClusterIP = address.ToString() };
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, MeshJson.Compact))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var service in found.Take(Most))
            {
                json.WriteStartObject();
                json.WriteString("namespace", service.Namespace);
                json.WriteString("name", service.Name);
                json.WriteString("clusterIP", service.ClusterIP);
                json.WriteNumber("port", port);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        body.WriteByte((byte)'\n');
        return body.ToArray();
    }
}

using System.Net;
using System.Text;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Dns.Tests;

/// <summary>A small cluster, built through the same table that a node builds its snapshot with.</summary>
internal static class SomeCluster
{
    public const string Zone = "cluster.local";

    /// <summary>Namespaces default and empty; Service default/web (127.96.0.10, port http 80), and headless default/pods with its endpoints.</summary>
    public static Published<RoutingSnapshot> With(int headlessEndpoints = 3, bool synced = true)
    {
        var table = new RoutingTable("here");
        table.Apply(new RoutingChange.NamespaceExists("default", true));
        table.Apply(new RoutingChange.NamespaceExists("empty", true));
        table.Apply(Service("web", "127.96.0.10", []));
        table.Apply(Service("pods", "None", [.. Enumerable.Range(1, headlessEndpoints).Select(Endpoint)]));
        if (synced)
        {
            table.MarkSynced();
        }

        return new Published<RoutingSnapshot>(table.Current);
    }

    public static DnsResponder Responder(Published<RoutingSnapshot> routes) => new(routes, Zone, new Random(7));

    private static RoutingChange.ServiceSpec Service(string name, string clusterIP, Endpoint[] endpoints)
    {
        var document = $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}","namespace":"default","uid":"u-{{{name}}}","resourceVersion":"5" },
             "spec":{"type":"ClusterIP","clusterIP":"{{{clusterIP}}}","clusterIPs":["{{{clusterIP}}}"],"selector":{"app":"{{{name}}}"},
             "ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":8080} ] },"status":{"loadBalancer":{} } }
            """;
        return new RoutingChange.ServiceSpec(
            new ObjectDocument(NamespacedName.Of("default", name), "u-" + name, 5, 5, Encoding.UTF8.GetBytes(document)),
            new EndpointsChange("u-" + name, IsFull: true, IsSynced: true, 5, [.. endpoints]));
    }

    private static Endpoint Endpoint(int number) => new()
    {
        Pod = NamespacedName.Of("default", $"pod-{number}"),
        Order = new RowOrder($"u-{number}", 10 + number, 10 + number, 1),
        Address = new IPAddress([127, 80, (byte)(number >> 8), (byte)number]),
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, 8080)],
        NodeName = "elsewhere",
        Ready = true,
        Serving = true,
    };
}

using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Core.Tests.Routing;

/// <summary>What a control plane tells a node, in short.</summary>
internal static class Told
{
    public static readonly NamespacedName Web = NamespacedName.Of("default", "web");

    public static RoutingChange.ServiceSpec Spec(
        string name = "web",
        string uid = "svc-1",
        long version = 1,
        long created = 1,
        string clusterIP = "127.96.0.9",
        int port = 80,
        EndpointsChange? endpoints = null) =>
        new(new ObjectDocument(NamespacedName.Of("default", name), uid, version, created, Json.Utf8(
            $$"""
            {"kind":"Service","metadata":{"name":"{{name}}","namespace":"default","uid":"{{uid}}","resourceVersion":"{{version}}"},
             "spec":{"clusterIP":"{{clusterIP}}","selector":{"app":"{{name}}"},"ports":[{"name":"http","port":{{port}},"targetPort":8080}] } }
            """)), endpoints);

    public static RoutingChange.ServiceEndpoints Rows(params ImmutableArray<Endpoint> rows) =>
        new(Web, Set(isFull: false, isSynced: true, rows));

    public static RoutingChange.ServiceEndpoints Full(bool isSynced, params ImmutableArray<Endpoint> rows) =>
        new(Web, Set(isFull: true, isSynced, rows));

    public static EndpointsChange Set(bool isFull, bool isSynced, ImmutableArray<Endpoint> rows, string uid = "svc-1", long spec = 1) =>
        new(uid, isFull, isSynced, spec, rows);

    public static Endpoint Row(
        string pod,
        byte address = 1,
        bool ready = true,
        bool terminating = false,
        long spec = 1,
        ulong liveness = 1,
        long created = 1,
        string? node = null,
        bool registered = false) => new()
        {
            Pod = NamespacedName.Of("default", pod),
            Order = new RowOrder("uid-" + pod + "-" + created, created, spec, liveness),
            Address = new IPAddress([127, 80, 0, address]),
            Ports = [new EndpointPort("http", TransportProtocol.Tcp, 8080)],
            NodeName = node ?? "elsewhere",
            Serving = ready,
            Terminating = terminating,
            Ready = ready && !terminating,
            IsRegistered = registered,
        };

    public static LocalPod Local(string pod, bool alive = true, bool ready = true, bool terminating = false, ulong liveness = 1, long created = 1) =>
        new(NamespacedName.Of("default", pod), "uid-" + pod + "-" + created, alive, ready, terminating, liveness);
}

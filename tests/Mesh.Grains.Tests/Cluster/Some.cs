using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>Documents as the ApiServer would have admitted them, and rows as Pod grains would tell them.</summary>
public static class Some
{
    public static ServedKinds Kinds { get; } = new(
    [
        new("", "v1", "Namespace", false), new("", "v1", "Pod", true), new("", "v1", "Service", true), new("networking.k8s.io", "v1", "Ingress", true),
        new("", "v1", "ConfigMap", true), new("", "v1", "Secret", true), new("", "v1", "Endpoints", true), new("discovery.k8s.io", "v1", "EndpointSlice", true),
    ]);

    public static ObjectRequest Create(string document, bool dryRun = false) =>
        new(ObjectVerb.Create, Encoding.UTF8.GetBytes(document), 0, "", dryRun);

    public static ObjectRequest Update(string document, long ifVersion = 0) =>
        new(ObjectVerb.Update, Encoding.UTF8.GetBytes(document), ifVersion, "", false);

    public static ObjectRequest Delete(string ifUid = "") => new(ObjectVerb.Delete, default, 0, ifUid, false);

    public static string Service(NamespacedName name, string app = "web", string uid = "", string more = "") => $$$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"namespace":"{{{name.Namespace}}}","name":"{{{name.Name}}}","uid":"{{{(uid.Length > 0 ? uid : "uid-" + name.Name)}}}","labels":{"team":"soup"}},
        "spec":{"type":"ClusterIP",{{{more}}}"selector":{"app":"{{{app}}}"},"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080}]}}
        """;

    public static string Pod(NamespacedName name, string uid, string app, string node, bool ready, string address = "127.0.0.1") => $$$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"{{{name.Namespace}}}","name":"{{{name.Name}}}","uid":"{{{uid}}}","labels":{"app":"{{{app}}}"},
        "annotations":{"mesh.internal/registered-by":"stream"}},
        "spec":{"nodeName":"{{{node}}}","containers":[{"name":"c","ports":[{"name":"http","containerPort":8080}]}]},
        "status":{"phase":"Running","podIP":"{{{address}}}","conditions":[{"type":"Ready","status":"{{{(ready ? "True" : "False")}}}"}]}}
        """;

    public static PodRow Row(string name, long created, ulong liveness, bool ready = true, string app = "web", string node = "n1", long? spec = null) => new(
        name,
        new OrderMessage($"uid-{name}-{created}", created, spec ?? created, liveness),
        new Dictionary<string, string> { ["app"] = app },
        new IPAddress([127, 80, (byte)(created >> 8), (byte)created]), // two endpoints of one address are one
        [new PodPort("http", 0, 8080)],
        node,
        ready,
        false,
        true,
        false);

    public static PodRow Ended(this PodRow row) => row with
    {
        IsEnded = true,
        IsReady = false,
        Order = row.Order with { Liveness = row.Order.Liveness + 1 },
    };

    public static string Text(this ObjectReply reply, params IReadOnlyList<string> path)
    {
        using var document = JsonDocument.Parse(reply.Document);
        return path.Aggregate(document.RootElement, (element, name) => element.GetProperty(name)).ToString();
    }
}

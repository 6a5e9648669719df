using System.Text.Json.Nodes;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Tests.Cluster;

namespace Mesh.Grains.Tests.Services;

/// <summary>Writes Services of the types NodePort and LoadBalancer as the ApiServer would hand them to their grains.</summary>
internal static class ExternalService
{
    public const string Port80 = """{"name":"http","port":80,"protocol":"TCP","targetPort":8080}""";

    public static IServiceGrain ServiceGrain(this MeshTestCluster cluster, NamespacedName name) => cluster.Client.GetGrain<IServiceGrain>(name.ToString());

    /// <param name="more">Further fields of the spec, each with a comma behind it.</param>
    public static async Task<(NamespacedName Name, ObjectReply Reply)> CreateAsync(
        this MeshTestCluster cluster, string ports, CancellationToken stop, string type = "NodePort", string more = "", bool isDryRun = false)
    {
        var name = NamespacedName.Of(await cluster.NamespaceAsync(), "web");
        return (name, await cluster.ServiceGrain(name).Write(Some.Create(Document(name, ports, type, more), isDryRun), stop));
    }

    public static Task<ObjectReply> UpdateAsync(
        this MeshTestCluster cluster, NamespacedName name, string ports, CancellationToken stop, string type = "NodePort", string more = "") =>
        cluster.ServiceGrain(name).Write(Some.Update(Document(name, ports, type, more)), stop);

    public static string Document(NamespacedName name, string ports, string type, string more = "") => $$$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"namespace":"{{{name.Namespace}}}","name":"{{{name.Name}}}","uid":"uid-{{{name}}}"},
        "spec":{"type":"{{{type}}}",{{{more}}}"selector":{"app":"web"},"ports":[{{{ports}}}] },"status":{"loadBalancer":{} } }
        """;

    public static List<int> NodePorts(this ObjectReply reply) =>
        [.. JsonNode.Parse(reply.Document.Span)!["spec"]!["ports"]!.AsArray().Select(port => port!["nodePort"]?.GetValue<int>() ?? 0)];

    /// <summary><c>status.loadBalancer</c> as it stands.</summary>
    public static string Balancer(this ObjectReply reply) => JsonNode.Parse(reply.Document.Span)!["status"]!["loadBalancer"]!.ToJsonString();

    public static string At(string address) => $$"""{"ingress":[{"ip":"{{address}}","ipMode":"VIP"}]}""";
}

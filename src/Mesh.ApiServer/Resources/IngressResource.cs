using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Resources;

/// <summary>Ingresses: written by their grains.</summary>
internal static class IngressResource
{
    public static Resource Create(SchemaReader schemas) => new()
    {
        Group = Kinds.NetworkingGroup,
        Kind = "Ingress",
        Plural = "ingresses",
        Singular = "ingress",
        ShortNames = ["ing"],
        Schema = schemas.Read(typeof(V1Ingress)),
        WrittenBy = new WrittenBy.Grain(static (grains, key) => grains.GetGrain<IIngressGrain>(key)),
        CountsGenerations = true,
        InitialStatus = static () => new JsonObject { ["loadBalancer"] = new JsonObject() },
        Validate = IngressValidation.Validate,
        Warn = IngressWarnings.For,
        Columns =
        [
            TableColumn.ObjectName,
            TableColumn.Text("Class"),
            TableColumn.Text("Hosts"),
            TableColumn.Text("Address"),
            TableColumn.Text("Ports"),
            TableColumn.Age,
        ],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            document.At("spec", "ingressClassName").TextOr(TableCells.None),
            TableCells.FirstThree(Hosts(document), "*"),
            string.Join(",", TableCells.LoadBalancer(document)),
            document.At("spec", "tls").Items().Any() ? "80, 443" : "80",
            TableCells.Age(document, now),
        ],
    };

    private static List<string> Hosts(JsonElement document)
    {
        var hosts = document.At("spec", "rules").Items().Select(rule => rule.At("host").Text()).Where(host => host.Length > 0);
        return [.. hosts.Distinct()];
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Resources;

/// <summary>Services: written by their grains, which allocate the ClusterIP.</summary>
internal static class ServiceResource
{
    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "Service",
        Plural = "services",
        Singular = "service",
        ShortNames = ["svc"],
        Categories = ["all"],
        Schema = schemas.Read(typeof(V1Service)),
        WrittenBy = new WrittenBy.Grain(static (grains, key) => grains.GetGrain<IServiceGrain>(key)),
        Names = NameRule.Dns1035Label,
        NotImplemented = ImmutableSortedDictionary<string, string>.Empty.Add(
            "proxy", "proxying to a Service is not in this version; connect to its ClusterIP, its DNS name or an Ingress instead"),
        Default = ServiceDefaults.Apply,
        ReturnsDeleted = true,
        CreatesOnUpdate = true,
        InitialStatus = static () => new JsonObject { ["loadBalancer"] = new JsonObject() },
        Carry = ServiceTransition.Apply,
        Validate = ServiceValidation.Validate,
        Warn = ServiceWarnings.For,
        SelectableFields = ["spec.clusterIP", "spec.type"],
        Columns =
        [
            TableColumn.ObjectName,
            TableColumn.Text("Type"),
            TableColumn.Text("Cluster-IP"),
            TableColumn.Text("External-IP"),
            TableColumn.Text("Port(s)"),
            TableColumn.Age,
            TableColumn.Wide("Selector"),
        ],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            document.At("spec", "type").Text(),
            document.At("spec", "clusterIP").TextOr(TableCells.None),
            ExternalAddress(document),
            Ports(document),
            TableCells.Age(document, now),
            TableCells.Labels(document.At("spec", "selector")),
        ],
    };

    private static string ExternalAddress(JsonElement document)
    {
        var type = document.At("spec", "type").Text();
        if (type == "ExternalName")
        {
            return document.At("spec", "externalName").Text();
        }

        var addresses = document.At("spec", "externalIPs").Items().Select(address => address.Text());
        if (type == "LoadBalancer")
        {
            addresses = TableCells.LoadBalancer(document).Concat(addresses);
        }

        var all = string.Join(",", addresses);
        return all.Length > 0 ? all : type == "LoadBalancer" ? "<pending>" : TableCells.None;
    }

    private static string Ports(JsonElement document)
    {
        var ports = document.At("spec", "ports").Items().Select(port =>
            port.At("nodePort").Text() is { Length: > 0 } nodePort && nodePort != "0"
                ? $"{port.At("port").Text()}:{nodePort}/{port.At("protocol").Text()}"
                : $"{port.At("port").Text()}/{port.At("protocol").Text()}");
        return string.Join(",", ports) is { Length: > 0 } text ? text : TableCells.None;
    }
}

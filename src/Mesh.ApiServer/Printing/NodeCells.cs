using System.Text.Json;
using Mesh.ApiServer.Documents;

namespace Mesh.ApiServer.Printing;

/// <summary>A Node's row (printers.go, printNode).</summary>
internal static class NodeCells
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    public static string[] For(JsonElement document, DateTimeOffset now)
    {
        var system = document.At("status", "nodeInfo");
        return
        [
            document.ObjectName(),
            Status(document),
            Roles(document),
            TableCells.Age(document, now),
            system.At("kubeletVersion").Text(),
            Address(document, "InternalIP"),
            Address(document, "ExternalIP"),
            system.At("osImage").TextOr("<unknown>"),
            system.At("kernelVersion").TextOr("<unknown>"),
            system.At("containerRuntimeVersion").TextOr("<unknown>"),
        ];
    }

    private static string Status(JsonElement document)
    {
        var ready = document.Condition("Ready").At("status").Text() switch
        {
            "True" => "Ready",
            "" => "Unknown",
            _ => "NotReady", // False, and Unknown too: kubectl shows both so
        };
        return document.At("spec", "unschedulable").Flag() ? $"{ready},SchedulingDisabled" : ready;
    }

    private static string Roles(JsonElement document)
    {
        var roles = document.At("metadata", "labels").Members()
            .Where(label => label.Name.StartsWith(RolePrefix, StringComparison.Ordinal) && label.Name.Length > RolePrefix.Length)
            .Select(label => label.Name[RolePrefix.Length..])
            .Order(StringComparer.Ordinal);
        return string.Join(",", roles) is { Length: > 0 } text ? text : TableCells.None;
    }

    private static string Address(JsonElement document, string type) =>
        document.At("status", "addresses").Items().FirstOrDefault(address => address.At("type").Text() == type)
            .At("address").TextOr(TableCells.None);
}

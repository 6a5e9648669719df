using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// The parts of the cluster that the API does not answer for by answering: the agent of each Node. Deprecated by Kubernetes,
/// and asked for by people and scripts all the same.
/// </summary>
internal static class ComponentStatusResource
{
    public static Resource Create(SchemaReader schemas, Resource node) => new()
    {
        Kind = "ComponentStatus",
        Plural = "componentstatuses",
        Singular = "componentstatus",
        ShortNames = ["cs"],
        IsNamespaced = false,
        HasStatus = false,
        Schema = schemas.Read(typeof(V1ComponentStatus)),
        WrittenBy = new WrittenBy.Derived(),
        Derived = new Derivation(node, "", Status),
        ReadWarning = "v1 ComponentStatus is deprecated in v1.19+",
        Columns = [TableColumn.ObjectName, TableColumn.Text("Status"), TableColumn.Text("Message"), TableColumn.Text("Error")],
        Cells = static (document, _) =>
        [
            document.ObjectName(),
            IsTrue(Of(document)) ? "Healthy" : "Unhealthy",
            Of(document).At("message").Text(),
            Of(document).At("error").Text(),
        ],
    };

    private static JsonObject Status(JsonElement node, DateTimeOffset _)
    {
        var ready = node.Condition("Ready");
        var condition = new JsonObject { ["type"] = "Healthy", ["status"] = ready.At("status").TextOr("Unknown") };
        condition[ready.At("status").Text() == "True" ? "message" : "error"] = ready.At("message").TextOr("ok");
        return new JsonObject { ["metadata"] = new JsonObject(), ["conditions"] = new JsonArray(condition) };
    }

    private static JsonElement Of(JsonElement document) => document.At("conditions").Items().FirstOrDefault();

    private static bool IsTrue(JsonElement condition) => condition.At("status").Text() == "True";
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// Leases, by which processes elect who leads. Those of Nodes, which <c>kubectl describe node</c> reads, have a namespace
/// of their own: no heartbeat is stored there, as a Node's Ready condition says whether its link lives, and its Lease is
/// that condition in other words.
/// </summary>
internal static class LeaseResource
{
    /// <summary>Where the Leases of Nodes are shown, and where no other can be.</summary>
    public const string NodeNamespace = "kube-node-lease";

    // As long as the link may be silent before the Node's Ready condition turns Unknown.
    private const int Seconds = 10;

    public static Resource Create(SchemaReader schemas, Resource node) => new()
    {
        Group = "coordination.k8s.io",
        Kind = "Lease",
        Plural = "leases",
        Singular = "lease",
        HasStatus = false,
        Schema = schemas.Read(typeof(V1Lease)),
        WrittenBy = new WrittenBy.Store(),
        Derived = new Derivation(node, NodeNamespace, OfNode),
        Validate = Validate,
        Columns = [TableColumn.ObjectName, TableColumn.Text("Holder"), TableColumn.Age],
        Cells = static (document, now) =>
            [document.ObjectName(), document.At("spec", "holderIdentity").Text(), TableCells.Age(document, now)],
    };

    // kubernetes pkg/apis/coordination/validation, ValidateLeaseSpec
    private static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        if (document.At("spec", "leaseDurationSeconds").AsNumber() is <= 0 and var seconds)
        {
            causes.Invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
        }

        if (document.At("spec", "leaseTransitions").AsNumber() is < 0 and var transitions)
        {
            causes.Invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0");
        }
    }

    private static JsonObject OfNode(JsonElement node, DateTimeOffset now)
    {
        var ready = node.Condition("Ready");
        var since = ready.At("lastTransitionTime").Time();
        var isAlive = ready.At("status").Text() == "True";
        return new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject
            {
                ["holderIdentity"] = node.ObjectName(),
                ["leaseDurationSeconds"] = Seconds,
                ["acquireTime"] = Micro(isAlive ? since : null),
                ["renewTime"] = Micro(isAlive ? now : since),
            },
        };
    }

    private static JsonNode? Micro(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}

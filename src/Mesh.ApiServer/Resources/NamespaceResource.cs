using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>Namespaces: written here; emptied by the Keeper once they are Terminating.</summary>
internal static class NamespaceResource
{
    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "Namespace",
        Plural = "namespaces",
        Singular = "namespace",
        ShortNames = ["ns"],
        IsNamespaced = false,
        Schema = schemas.Read(typeof(V1Namespace)),
        WrittenBy = new WrittenBy.Store(),
        Names = NameRule.DnsLabel,
        Default = Default,
        InitialStatus = static () => new JsonObject { ["phase"] = "Active" },
        StartDeletion = static document => document.Child("status")["phase"] = "Terminating",
        Undeletable = ["default", "kube-system", "kube-public"],
        SelectableFields = ["status.phase"],
        Columns = [TableColumn.ObjectName, TableColumn.Text("Status"), TableColumn.Age],
        Cells = static (document, now) =>
            [document.ObjectName(), document.At("status", "phase").Text(), TableCells.Age(document, now)],
    };

    private static void Default(JsonObject document)
    {
        var metadata = document.Child("metadata");
        if (metadata.At("name").AsText() is { Length: > 0 } name)
        {
            metadata.Child("labels")["kubernetes.io/metadata.name"] = name;
        }

        document.Child("spec").SetDefault("finalizers", new JsonArray("kubernetes"));
    }
}

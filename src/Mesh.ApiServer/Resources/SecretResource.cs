using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// Secrets: confidential, so that no part of one is ever logged, and written by the API straight to the store, so that
/// none passes through a grain or a node.
/// </summary>
internal static class SecretResource
{
    public const string Opaque = "Opaque";

    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "Secret",
        Plural = "secrets",
        Singular = "secret",
        HasStatus = false,
        IsConfidential = true,
        Schema = schemas.Read(typeof(V1Secret)),
        WrittenBy = new WrittenBy.Store(),
        Default = Default,
        Carry = static (stored, next) =>
        {
            if (next.At("type").IsUnset())
            {
                next.CopyFrom(stored, "type");
            }
        },
        Validate = SecretValidation.Validate,
        SelectableFields = ["type"],
        Columns = [TableColumn.ObjectName, TableColumn.Text("Type"), TableColumn.Text("Data"), TableColumn.Age],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            document.At("type").Text(),
            document.At("data").Members().Count().ToString(CultureInfo.InvariantCulture),
            TableCells.Age(document, now),
        ],
    };

    private static void Default(JsonObject document)
    {
        document.SetDefault("type", Opaque);
        KeyedContents.Straighten(document.At("data"));
        if (document.At("stringData") is JsonObject texts)
        {
            foreach (var (key, text) in texts)
            {
                document.Child("data")[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(text.AsText() ?? ""));
            }
        }

        document.Remove("stringData"); // to write with only: it is never stored and never shown
    }
}

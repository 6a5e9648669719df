using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>ConfigMaps: kept for who reads them by the API; no process has them mounted.</summary>
internal static class ConfigMapResource
{
    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "ConfigMap",
        Plural = "configmaps",
        Singular = "configmap",
        ShortNames = ["cm"],
        HasStatus = false,
        Schema = schemas.Read(typeof(V1ConfigMap)),
        WrittenBy = new WrittenBy.Store(),
        Default = static document => KeyedContents.Straighten(document.At("binaryData")),
        Validate = Validate,
        Columns = [TableColumn.ObjectName, TableColumn.Text("Data"), TableColumn.Age],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            (document.At("data").Members().Count() + document.At("binaryData").Members().Count()).ToString(CultureInfo.InvariantCulture),
            TableCells.Age(document, now),
        ],
    };

    private static void Validate(JsonObject? stored, JsonObject document, Causes causes)
    {
        KeyedContents.ValidateKeys("data", document.At("data"), causes);
        KeyedContents.ValidateKeys("binaryData", document.At("binaryData"), causes);
        var texts = document.At("data") as JsonObject ?? [];
        var bytes = document.At("binaryData") as JsonObject ?? [];
        foreach (var key in texts.Select(member => member.Key).Where(bytes.ContainsKey))
        {
            causes.Invalid($"data[{key}]", key, "duplicate of key present in binaryData");
        }

        if (texts.Sum(member => Encoding.UTF8.GetByteCount(member.Value.AsText() ?? "")) + bytes.Sum(member => KeyedContents.Decode(member.Value).Length)
            > KeyedContents.MaxBytes)
        {
            causes.TooLong("", KeyedContents.MaxBytes);
        }

        KeyedContents.ValidateImmutable(stored, document, causes, "data", "binaryData");
    }
}

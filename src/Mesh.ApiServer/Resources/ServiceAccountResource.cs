using System.Collections.Immutable;
using System.Globalization;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>ServiceAccounts: kept because manifests bring them along; nobody signs in as one in this version.</summary>
internal static class ServiceAccountResource
{
    /// <summary>The one that every Namespace has.</summary>
    public const string DefaultName = "default";

    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "ServiceAccount",
        Plural = "serviceaccounts",
        Singular = "serviceaccount",
        ShortNames = ["sa"],
        HasStatus = false,
        Schema = schemas.Read(typeof(V1ServiceAccount)),
        WrittenBy = new WrittenBy.Store(),
        ReturnsDeleted = true,
        NotImplemented = ImmutableSortedDictionary<string, string>.Empty.Add("token", "tokens of ServiceAccounts are not in this version; there is one user, the administrator"),
        Columns = [TableColumn.ObjectName, TableColumn.Text("Secrets"), TableColumn.Age],
        Cells = static (document, now) =>
        [
            document.ObjectName(),
            document.At("secrets").Items().Count().ToString(CultureInfo.InvariantCulture),
            TableCells.Age(document, now),
        ],
    };
}

using System.Text.Json;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Core.Names;

namespace Mesh.ApiServer.Resources;

/// <summary>Kinds that parts of Mesh write and clients read.</summary>
internal static class ReadOnlyResources
{
    public static Resource Node(SchemaReader schemas) => new()
    {
        Kind = "Node",
        Plural = "nodes",
        Singular = "node",
        ShortNames = ["no"],
        IsNamespaced = false,
        Schema = schemas.Read(typeof(V1Node)),
        WrittenBy = new WrittenBy.Others(),
        SelectableFields = ["spec.unschedulable"],
        Columns =
        [
            TableColumn.ObjectName,
            TableColumn.Text("Status"),
            TableColumn.Text("Roles"),
            TableColumn.Age,
            TableColumn.Text("Version"),
            TableColumn.Wide("Internal-IP"),
            TableColumn.Wide("External-IP"),
            TableColumn.Wide("OS-Image"),
            TableColumn.Wide("Kernel-Version"),
            TableColumn.Wide("Container-Runtime"),
        ],
        Cells = NodeCells.For,
    };

    public static Resource EndpointSlice(SchemaReader schemas) => new()
    {
        Group = Kinds.DiscoveryGroup,
        Kind = "EndpointSlice",
        Plural = "endpointslices",
        Singular = "endpointslice",
        HasStatus = false,
        Schema = schemas.Read(typeof(V1EndpointSlice)),
        WrittenBy = new WrittenBy.Others(),
        Columns =
        [
            TableColumn.ObjectName,
            TableColumn.Text("AddressType"),
            TableColumn.Text("Ports"),
            TableColumn.Text("Endpoints"),
            TableColumn.Age,
        ],
        Cells = EndpointCells.ForSlice,
    };

    public static Resource Endpoints(SchemaReader schemas) => new()
    {
        Kind = "Endpoints",
        Plural = "endpoints",
        Singular = "endpoints",
        ShortNames = ["ep"],
        HasStatus = false,
        Schema = schemas.Read(typeof(V1Endpoints)),
        WrittenBy = new WrittenBy.Others(),
        Columns = [TableColumn.ObjectName, TableColumn.Text("Endpoints"), TableColumn.Age],
        Cells = EndpointCells.ForEndpoints,
    };

    public static Resource Event(SchemaReader schemas) => new()
    {
        Kind = "Event",
        Plural = "events",
        Singular = "event",
        ShortNames = ["ev"],
        HasStatus = false,
        Schema = schemas.Read(typeof(Corev1Event)),
        WrittenBy = new WrittenBy.Others(),
        SelectableFields =
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
            "reason", "reportingComponent", "source", "type",
        ],
        Columns =
        [
            TableColumn.Text("Last Seen"),
            TableColumn.Text("Type"),
            TableColumn.Text("Reason"),
            TableColumn.Text("Object"),
            TableColumn.Wide("Subobject"),
            TableColumn.Wide("Source"),
            TableColumn.Text("Message"),
            TableColumn.Wide("First Seen"),
            TableColumn.Wide("Count"),
            TableColumn.ObjectName with { IsWide = true },
        ],
        Cells = Event,
    };

    private static string[] Event(JsonElement document, DateTimeOffset now)
    {
        var first = document.At("firstTimestamp").Time() ?? document.At("eventTime").Time();
        var last = document.At("series", "lastObservedTime").Time() ?? document.At("lastTimestamp").Time() ?? first;
        var count = document.At("series", "count").TextOr(document.At("count").TextOr("1"));
        var involved = document.At("involvedObject");
#pragma warning disable CA1308 // kubectl shows kinds in lower case
        var kind = involved.At("kind").Text().ToLowerInvariant();
#pragma warning restore CA1308
        var seen = HumanDuration.Since(last, now);
        return
        [
            count is "1" or "0" ? seen : $"{seen} (x{count} over {HumanDuration.Since(first, now)})",
            document.At("type").Text(),
            document.At("reason").Text(),
            $"{kind}/{involved.At("name").Text()}",
            involved.At("fieldPath").Text(),
            document.At("source", "component").TextOr(document.At("reportingComponent").Text()),
            document.At("message").Text().Trim(),
            HumanDuration.Since(first, now),
            count,
            document.ObjectName(),
        ];
    }
}

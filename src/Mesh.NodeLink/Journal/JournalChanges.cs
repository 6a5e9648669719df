using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using EndpointsChange = Mesh.Core.Routing.EndpointsChange;

namespace Mesh.NodeLink.Journal;

/// <summary>A change as the journal keeps it: a Service and its endpoints apart, as they change at different times.</summary>
internal static class JournalChanges
{
    public static IEnumerable<JournalRecord> Records(RoutingChange change)
    {
        var wire = WireFormat.ToWire(change);
        if (wire.Service is not { Endpoints: { } endpoints } service)
        {
            return [new JournalRecord { Change = wire }];
        }

        service.Endpoints = null;
        var rows = new EndpointRows
        {
            Namespace = service.Object.Namespace,
            Name = service.Object.Name,
            ServiceUid = service.Object.Uid,
            Full = endpoints.Full,
            Synced = endpoints.Synced,
            SpecVersion = endpoints.SpecVersion,
        };
        rows.Rows.AddRange(endpoints.Rows);
        var told = new JournalRecord { Rows = rows };
        return service.Object.Document.IsEmpty ? [told] : [new JournalRecord { Change = wire }, told];
    }

    public static RoutingChange? Read(JournalRecord record) => record.BodyCase switch
    {
        JournalRecord.BodyOneofCase.Change => WireFormat.FromWire(record.Change),
        JournalRecord.BodyOneofCase.Rows => new RoutingChange.ServiceEndpoints(
            NamespacedName.Of(record.Rows.Namespace, record.Rows.Name),
            new EndpointsChange(
                record.Rows.ServiceUid,
                record.Rows.Full,
                record.Rows.Synced,
                record.Rows.SpecVersion,
                [.. record.Rows.Rows.Select(row => WireFormat.FromWire(row, record.Rows.Namespace))])),
        _ => null,
    };
}

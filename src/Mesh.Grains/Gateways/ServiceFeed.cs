using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Gateways;

/// <summary>
/// One Service object as one gateway follows it: the frontend from the log, the endpoints from its grain, and what of
/// both the node has yet to be told. A re-created Service is another feed.
/// </summary>
internal sealed class ServiceFeed(NamespacedName name, StoredObject spec)
{
    private readonly Dictionary<string, EndpointRow> _untold = new(StringComparer.Ordinal);
    private bool _specUntold;
    private bool _setUntold;
    private bool _rowsUntold;

    public NamespacedName Name => name;

    public string Uid => Latest.Uid;

    /// <summary>Newest spec seen in the log.</summary>
    public StoredObject Latest { get; set; } = spec;

    /// <summary>The spec that the node has, or gets with the next message; null before the first.</summary>
    public StoredObject? Told { get; private set; }

    /// <summary>Set once, by the grain that starts it.</summary>
    public Subscription<string, EndpointRow>? Endpoints { get; set; }

    /// <summary>The Service has answered, synced or not.</summary>
    public bool HasAnswered { get; private set; }

    public bool IsSynced { get; private set; }

    /// <summary>Endpoints of a newer spec wait until then for their frontend; null: none wait.</summary>
    public long? HeldUntil { get; set; }

    /// <summary>Deleted, or re-created under another uid.</summary>
    public bool IsOver { get; set; }

    /// <summary>Endpoints that were computed from a spec which the node does not have yet.</summary>
    public bool IsAheadOfSpec => Told is not null && SpecVersion > Told.ResourceVersion;

    private long SpecVersion => Endpoints?.SpecVersion ?? 0;

    /// <summary>Whether the endpoints were computed from this version of the spec, or a later one.</summary>
    public bool IsPairedWith(long specVersion) => HasAnswered && SpecVersion >= specVersion;

    public void Release(StoredObject spec)
    {
        Told = spec;
        _specUntold = true;
    }

    /// <summary>Notes what one message changed; false when the node need not know.</summary>
    public bool Note(RowsReceived<EndpointRow> rows)
    {
        foreach (var row in rows.Changed)
        {
            _untold[row.PodName] = row;
        }

        // The first set, and the one with which absence begins to mean something, are told whole.
        var isWhole = !HasAnswered || (rows.IsSynced && !IsSynced);
        var any = isWhole || rows.HasNewSpec || rows.IsSynced != IsSynced || rows.Changed.Count > 0;
        HasAnswered = true;
        IsSynced = rows.IsSynced;
        _setUntold |= isWhole;
        _rowsUntold |= any;
        return any;
    }

    /// <summary>What the node lacks, and from now on no longer lacks.</summary>
    public RoutingChange? Take()
    {
        if (Told is null)
        {
            return null;
        }

        var endpoints = TakeEndpoints();
        if (!_specUntold)
        {
            return endpoints is null ? null : new RoutingChange.ServiceEndpoints(name, endpoints);
        }

        _specUntold = false;
        return new RoutingChange.ServiceSpec(GatewayTable.ToDocument(name, Told), endpoints);
    }

    private EndpointsChange? TakeEndpoints()
    {
        if (!_rowsUntold || HeldUntil is not null || Endpoints is null)
        {
            return null;
        }

        var rows = _setUntold ? Endpoints.Rows.All : _untold.Values;
        var change = new EndpointsChange(Uid, _setUntold, IsSynced, SpecVersion, RoutedEndpoints.Of(name.Namespace, rows));
        _untold.Clear();
        _setUntold = false;
        _rowsUntold = false;
        return change;
    }
}

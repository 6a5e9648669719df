using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;

namespace Mesh.Grains.Services;

/// <summary>
/// One Service's endpoints: the rows it receives by its selector, the spec they are computed with, and an outbox per
/// gateway. A new selector takes effect with the registry's answer to it, so that no set is empty only because its rows
/// are still on their way.
/// </summary>
internal sealed class ServiceEndpoints(
    Func<ServiceEndpoints, Subscription<string, PodRow>> open, OutboxSettings outboxes, Action changed) : IOutboxSource<string, EndpointRow>, IAsyncDisposable
{
    private readonly List<Task> _ending = [];
    private Subscription<string, PodRow>? _pods;
    private Service? _next;
    private long _asked;

    public Outboxes<string, EndpointRow> Outboxes { get; private set; } = new(outboxes);

    /// <summary>The spec that the endpoints are computed from, null while there is no Service.</summary>
    public Service? Spec { get; private set; }

    /// <summary>The spec to subscribe with: the newest.</summary>
    public Service? Wanted => _next ?? Spec;

    public bool IsSynced => Spec is not null && (!EndpointSource.IsSelecting(Spec) || _pods is { IsSynced: true });

    public string ObjectUid => Spec?.Uid ?? "";

    public long SpecVersion => Spec?.ResourceVersion ?? 0;

    public EndpointRow[] Rows() => Spec is null || _pods is null ? [] : [.. _pods.Rows.All.Select(pod => EndpointSource.RowOf(Spec, pod))];

    public EndpointRow[] Rows(IReadOnlyCollection<string> keys) =>
        Spec is null || _pods is null
            ? []
            : [.. keys.Select(key => _pods.Rows.TryGet(key, out var pod) ? pod : null).OfType<PodRow>().Select(pod => EndpointSource.RowOf(Spec, pod))];

    public DeliveryAck OnRows(Delta<PodRow> delta) => _pods?.OnDelta(delta) ?? DeliveryAck.Gone;

    /// <summary>Follows the object: null when it is gone.</summary>
    public void Follow(Service? service)
    {
        if (service?.Uid != Wanted?.Uid)
        {
            Restart(service);
        }
        else if (service is not null && service.ResourceVersion > Wanted!.ResourceVersion)
        {
            Update(service);
        }
    }

    /// <summary>What the subscription received; the loop of it calls.</summary>
    public void OnReceived(RowsReceived<PodRow> rows)
    {
        if (_next is not null && rows.WasFull && _pods?.SpecVersion >= _asked)
        {
            Take(_next);
        }

        foreach (var outbox in Outboxes.All)
        {
            if (IsSynced && !outbox.HasToldSynced)
            {
                outbox.MarkFull(); // it has subscribed while this Service was between two registries, or had none yet
            }

            foreach (var row in rows.Changed)
            {
                outbox.Mark(row.Name);
            }
        }

        changed();
    }

    public async ValueTask DisposeAsync()
    {
        Close();
        await Task.WhenAll(_ending);
        await Outboxes.DisposeAsync();
    }

    private void Restart(Service? service)
    {
        Close();
        _ending.Add(Outboxes.DisposeAsync().AsTask());
        Outboxes = new Outboxes<string, EndpointRow>(outboxes);
        (Spec, _next) = (service, null);
        OpenIfSelecting();
        changed();
    }

    private void Update(Service service)
    {
        if (!EndpointSource.IsSelecting(service))
        {
            Take(service);
        }
        else if (_pods is null || !EndpointSource.HasSameSelector(service, Wanted!))
        {
            (_next, _asked) = (service, service.ResourceVersion);
            Reopen();
        }
        else if (_next is not null)
        {
            _next = service;
        }
        else
        {
            Take(service);
        }
    }

    private void Reopen()
    {
        if (_pods is null)
        {
            OpenIfSelecting();
        }
        else
        {
            _pods.SubscribeAgain();
        }
    }

    private void Take(Service service)
    {
        var hasSameEndpoints = Spec is not null && EndpointSource.HasSameEndpoints(Spec, service);
        (Spec, _next) = (service, null);
        if (!EndpointSource.IsSelecting(service))
        {
            Close();
        }

        foreach (var outbox in Outboxes.All)
        {
            if (hasSameEndpoints && (outbox.HasToldSynced || !IsSynced))
            {
                outbox.Announce();
            }
            else
            {
                outbox.MarkFull();
            }
        }

        changed();
    }

    private void OpenIfSelecting()
    {
        if (Wanted is { } wanted && EndpointSource.IsSelecting(wanted))
        {
            _pods = open(this);
            _pods.Start();
        }
    }

    private void Close()
    {
        _ending.RemoveAll(task => task.IsCompletedSuccessfully);
        if (_pods is not null)
        {
            _ending.Add(_pods.DisposeAsync().AsTask());
            _pods = null;
        }
    }
}

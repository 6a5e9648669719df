using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>
/// A publisher's subscriptions, by the receiver's activation: two activations of one receiver do not disturb each
/// other, and the one that is no longer followed is forgotten by its own Gone.
/// </summary>
public sealed class Outboxes<TKey, TRow>(OutboxSettings settings) : IAsyncDisposable
    where TKey : notnull
{
    /// <summary>Beyond this the subscription opened longest ago gives way; its receiver's renewal opens it again.</summary>
    public const int MaxSubscriptions = 20_000;

    private readonly Dictionary<string, Outbox<TKey, TRow>> _byReceiver = new(StringComparer.Ordinal);
    private readonly List<Outbox<TKey, TRow>> _ending = [];

    public string Publisher => settings.Publisher;

    public IReadOnlyCollection<Outbox<TKey, TRow>> All => _byReceiver.Values;

    /// <summary>Opens a subscription and returns it with the answer: the full set.</summary>
    public (Outbox<TKey, TRow> Outbox, Delta<TRow> Answer) Subscribe(
        StreamName stream,
        IOutboxSource<TKey, TRow> source,
        Func<Delta<TRow>, CancellationToken, Task<DeliveryAck>> send)
    {
        Prune();
        var outbox = new Outbox<TKey, TRow>(stream, source, send, settings);
        if (_byReceiver.TryGetValue(stream.Receiver, out var known))
        {
            if (known.Stream.Number > stream.Number)
            {
                // A Subscribe that a newer one overtook: its receiver does not look at the answer.
                outbox.Forget();
                return (outbox, outbox.Answer());
            }

            End(known);
        }

        if (_byReceiver.Count >= MaxSubscriptions)
        {
            End(_byReceiver.Values.First());
        }

        _byReceiver[stream.Receiver] = outbox;
        return (outbox, outbox.Answer());
    }

    public RenewalAck Renew(Renewal renewal) =>
        renewal.Publisher == settings.Publisher
        && _byReceiver.TryGetValue(renewal.Stream.Receiver, out var outbox)
        && outbox.Stream == renewal.Stream
            ? outbox.Renew(renewal.Position)
            : RenewalAck.Resync;

    public void Unsubscribe(StreamName stream)
    {
        if (_byReceiver.TryGetValue(stream.Receiver, out var outbox) && outbox.Stream == stream)
        {
            End(outbox);
        }
    }

    public void MarkFull()
    {
        foreach (var outbox in _byReceiver.Values)
        {
            outbox.MarkFull();
        }
    }

    public async ValueTask DisposeAsync()
    {
        var all = _byReceiver.Values.Concat(_ending).ToArray();
        _byReceiver.Clear();
        _ending.Clear();
        foreach (var outbox in all)
        {
            await outbox.DisposeAsync();
        }
    }

    private void Prune()
    {
        foreach (var outbox in _byReceiver.Values.Where(outbox => outbox.IsForgotten).ToArray())
        {
            End(outbox);
        }

        _ending.RemoveAll(outbox => outbox.IsStopped);
    }

    private void End(Outbox<TKey, TRow> outbox)
    {
        outbox.Forget();
        _byReceiver.Remove(outbox.Stream.Receiver);
        _ending.Add(outbox);
    }
}

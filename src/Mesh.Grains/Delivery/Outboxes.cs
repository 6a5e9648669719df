using Mesh.Grains.Abstractions.Delivery;

namespace Mesh.Grains.Delivery;

/// <summary>
/// A publisher's subscriptions, by the receiver's activation: two activations of one receiver do not disturb each
/// other, and the one that is no longer followed is forgotten by its own Gone.
/// </summary>
public sealed class Outboxes<TKey, TRow>(OutboxSettings settings) : IAsyncDisposable
    where TKey : notnull
{
    /// <summary>
    /// Beyond this the subscription that was opened or renewed longest ago gives way: what an activation that is gone has left, before
    /// any that lives. Its receiver's renewal, if one comes, opens it again.
    /// </summary>
    public const int MaxSubscriptions = 20_000;

    private readonly Dictionary<string, LinkedListNode<Outbox<TKey, TRow>>> _byReceiver = new(StringComparer.Ordinal);
    private readonly LinkedList<Outbox<TKey, TRow>> _byRenewal = []; // heard of longest ago first
    private readonly List<Outbox<TKey, TRow>> _ending = [];
    private long _swept = settings.Time.GetTimestamp();

    public string Publisher => settings.Publisher;

    public IReadOnlyCollection<Outbox<TKey, TRow>> All => _byRenewal;

    /// <summary>Opens a subscription and returns it with the answer: the full set.</summary>
    /// <param name="forgotten">Told once, when it has ended for whatever reason; perhaps before this returns.</param>
    public (Outbox<TKey, TRow> Outbox, Delta<TRow> Answer) Subscribe(
        StreamName stream,
        IOutboxSource<TKey, TRow> source,
        Func<Delta<TRow>, CancellationToken, Task<DeliveryAck>> send,
        Action? forgotten = null)
    {
        ForgetSilentSeldom();
        var outbox = new Outbox<TKey, TRow>(stream, source, send, settings, ended =>
        {
            LetGo(ended);
            forgotten?.Invoke();
        });
        if (_byReceiver.TryGetValue(stream.Receiver, out var known))
        {
            if (known.Value.Stream.Number > stream.Number)
            {
                // A Subscribe that a newer one overtook: its receiver does not look at the answer.
                outbox.Forget();
                return (outbox, outbox.Answer());
            }

            known.Value.Forget();
        }

        if (_byReceiver.Count >= MaxSubscriptions)
        {
            _byRenewal.First!.Value.Forget();
        }

        _byReceiver[stream.Receiver] = _byRenewal.AddLast(outbox);
        return (outbox, outbox.Answer());
    }

    public RenewalAck Renew(Renewal renewal)
    {
        ForgetSilentSeldom();
        if (renewal.Publisher != settings.Publisher
            || !_byReceiver.TryGetValue(renewal.Stream.Receiver, out var outbox)
            || outbox.Value.Stream != renewal.Stream)
        {
            return RenewalAck.Resync;
        }

        _byRenewal.Remove(outbox);
        _byRenewal.AddLast(outbox);
        return outbox.Value.Renew(renewal.Position);
    }

    public void Unsubscribe(StreamName stream)
    {
        if (_byReceiver.TryGetValue(stream.Receiver, out var outbox) && outbox.Value.Stream == stream)
        {
            outbox.Value.Forget();
        }
    }

    /// <summary>Whose end was lost and who has nothing sent to it is known by its silence; looked for now and then.</summary>
    public void ForgetSilent()
    {
        _swept = settings.Time.GetTimestamp();
        foreach (var silent in _byRenewal.Where(static outbox => outbox.IsSilent).ToArray())
        {
            silent.Forget();
        }
    }

    public void MarkFull()
    {
        foreach (var outbox in _byRenewal)
        {
            outbox.MarkFull();
        }
    }

    public async ValueTask DisposeAsync()
    {
        var all = _byRenewal.Concat(_ending).ToArray();
        _byReceiver.Clear();
        _byRenewal.Clear();
        _ending.Clear();
        foreach (var outbox in all)
        {
            await outbox.DisposeAsync();
        }
    }

    private void ForgetSilentSeldom()
    {
        if (settings.Time.GetElapsedTime(_swept) > Outbox<TKey, TRow>.ForgetAfter)
        {
            ForgetSilent();
        }
    }

    private void LetGo(Outbox<TKey, TRow> outbox)
    {
        if (_byReceiver.TryGetValue(outbox.Stream.Receiver, out var known) && ReferenceEquals(known.Value, outbox))
        {
            _byReceiver.Remove(outbox.Stream.Receiver);
            _byRenewal.Remove(known);
        }

        _ending.RemoveAll(static ended => ended.IsStopped);
        if (!outbox.IsStopped)
        {
            _ending.Add(outbox); // its message is still under way
        }
    }
}

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
    private long _swept = settings.Time.GetTimestamp();

    public string Publisher => settings.Publisher;

    public IReadOnlyCollection<Outbox<TKey, TRow>> All => _byReceiver.Values;

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
            if (known.Stream.Number > stream.Number)
            {
                // A Subscribe that a newer one overtook: its receiver does not look at the answer.
                outbox.Forget();
                return (outbox, outbox.Answer());
            }

            known.Forget();
        }

        if (_byReceiver.Count >= MaxSubscriptions)
        {
            _byReceiver.Values.First().Forget();
        }

        _byReceiver[stream.Receiver] = outbox;
        return (outbox, outbox.Answer());
    }

    public RenewalAck Renew(Renewal renewal)
    {
        ForgetSilentSeldom();
        return renewal.Publisher == settings.Publisher
            && _byReceiver.TryGetValue(renewal.Stream.Receiver, out var outbox)
            && outbox.Stream == renewal.Stream
                ? outbox.Renew(renewal.Position)
                : RenewalAck.Resync;
    }

    public void Unsubscribe(StreamName stream)
    {
        if (_byReceiver.TryGetValue(stream.Receiver, out var outbox) && outbox.Stream == stream)
        {
            outbox.Forget();
        }
    }

    /// <summary>Whose end was lost and who has nothing sent to it is known by its silence; looked for now and then.</summary>
    public void ForgetSilent()
    {
        _swept = settings.Time.GetTimestamp();
        foreach (var silent in _byReceiver.Values.Where(static outbox => outbox.IsSilent).ToArray())
        {
            silent.Forget();
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

    private void ForgetSilentSeldom()
    {
        if (settings.Time.GetElapsedTime(_swept) > Outbox<TKey, TRow>.ForgetAfter)
        {
            ForgetSilent();
        }
    }

    private void LetGo(Outbox<TKey, TRow> outbox)
    {
        if (_byReceiver.TryGetValue(outbox.Stream.Receiver, out var known) && ReferenceEquals(known, outbox))
        {
            _byReceiver.Remove(outbox.Stream.Receiver);
        }

        _ending.RemoveAll(static ended => ended.IsStopped);
        if (!outbox.IsStopped)
        {
            _ending.Add(outbox); // its message is still under way
        }
    }
}

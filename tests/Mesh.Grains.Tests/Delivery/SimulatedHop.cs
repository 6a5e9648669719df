using System.Net;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Loops;
using Mesh.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Grains.Tests.Delivery;

/// <summary>What happens to the next message, in either direction.</summary>
internal enum Fault
{
    None,
    LoseMessage,
    LoseAnswer,
    Duplicate,
    Delay,
}

/// <summary>
/// One publisher, one receiver, and a network between them that loses, doubles and delays; both ends can be replaced by
/// new activations while the old ones live on.
/// </summary>
internal sealed class SimulatedHop
{
    private readonly FakeTimeProvider _time = new();
    private readonly ProcessLoops _loops;
    private readonly TurnScheduler _turns = new();
    private readonly Random _random;
    private readonly Dictionary<string, PodRow> _truth = [];
    private readonly List<(int At, Action Deliver)> _delayed = [];
    private readonly List<Publisher> _publishers = [];
    private readonly List<Receiver> _receivers = [];
    private readonly Queue<Fault> _faults = new();
    private int _activations;
    private int _step;
    private long _version;

    public SimulatedHop(int seed)
    {
        _random = new Random(seed);
        _loops = new WatchedLoops(_time).Loops;
        RestartPublisher(synced: true);
        RestartReceiver();
    }

    public Counters Seen { get; } = new();

    /// <summary>Times that a receiver held a living Pod for ended.</summary>
    public int WronglyEnded { get; private set; }

    /// <summary>Living rows of the newest receiver.</summary>
    public IReadOnlyDictionary<string, PodRow> Received =>
        _receivers[^1].Rows.All.Where(row => !row.IsEnded).ToDictionary(row => row.Name);

    public IReadOnlyDictionary<string, PodRow> Truth => _truth;

    public bool IsSynced => _receivers[^1].Subscription.IsSynced;

    public void Next(Fault fault) => _faults.Enqueue(fault);

    public void Put(string name, bool ready)
    {
        var known = _truth.GetValueOrDefault(name);
        var order = known?.Order ?? new OrderMessage($"uid-{++_version}", _version, _version, 0);
        var row = new PodRow(name, order with { Liveness = order.Liveness + 1 }, [], IPAddress.Loopback, [], "n", ready, false, true, false);
        _truth[name] = row;
        Seen.Changes++;
        _turns.Run(() => _publishers[^1].Apply(row));
    }

    public void End(string name)
    {
        if (_truth.Remove(name, out var row))
        {
            var ended = row with { IsEnded = true, IsReady = false, Order = row.Order with { Liveness = row.Order.Liveness + 1 } };
            _turns.Run(() => _publishers[^1].Apply(ended));
        }
    }

    /// <summary>A new activation takes over; the old one lives on and believes it is the only one.</summary>
    public void RestartPublisher(bool synced)
    {
        var publisher = new Publisher(this, $"publisher-{++_activations}") { IsSynced = synced };
        // Stored rows: who they are and what was asked for, but not how they live now, and not all of them yet.
        foreach (var row in _truth.Values.Where(_ => synced || _random.Next(3) > 0))
        {
            publisher.Rows.Merge(synced ? row : row with { IsReady = !row.IsReady, Order = row.Order with { Liveness = 0 } });
        }

        _publishers.Add(publisher);
    }

    /// <summary>Every node has told what it holds: the publisher's set is whole.</summary>
    public void Inventory()
    {
        var publisher = _publishers[^1];
        _turns.Run(() =>
        {
            foreach (var row in _truth.Values)
            {
                publisher.Apply(row);
            }

            publisher.IsSynced = true;
            publisher.Outboxes.MarkFull();
        });
    }

    public void RestartReceiver()
    {
        var receiver = new Receiver(this, $"receiver-{++_activations}");
        _receivers.Add(receiver);
        _turns.Run(receiver.Subscription.Start);
    }

    public void Advance(TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += TimeSpan.FromMilliseconds(250))
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
            Step();
        }
    }

    public void Step()
    {
        _step++;
        _turns.RunAll();
        foreach (var (_, deliver) in _delayed.Where(message => message.At <= _step).ToArray())
        {
            _turns.Run(deliver);
        }

        _delayed.RemoveAll(message => message.At <= _step);
        _turns.RunAll();
    }

    /// <summary>No more faults, everything under way arrives, and one renewal passes.</summary>
    public void Quiet()
    {
        _faults.Clear();
        if (!_publishers[^1].IsSynced)
        {
            Inventory();
        }

        Advance(TimeSpan.FromSeconds(32));
    }

    public sealed class Counters
    {
        public int Changes { get; set; }

        public int Gone { get; set; }

        public int Resync { get; set; }

        public int RenewalResync { get; set; }

        public int StaleActivation { get; set; }

        public Dictionary<Fault, int> Faults { get; } = [];
    }

    private async Task<T> CarryAsync<T>(Func<T> deliver, CancellationToken stop)
    {
        var fault = _faults.TryDequeue(out var next) ? next : Fault.None;
        Seen.Faults[fault] = Seen.Faults.GetValueOrDefault(fault) + 1;
        await Task.Yield();
        stop.ThrowIfCancellationRequested();
        switch (fault)
        {
            case Fault.LoseMessage:
                throw new TimeoutException();
            case Fault.LoseAnswer:
                deliver();
                throw new TimeoutException();
            case Fault.Duplicate:
                deliver();
                return deliver();
            case Fault.Delay:
                // The caller gives up; the message arrives later, after what is sent then.
                _delayed.Add((_step + 1 + _random.Next(20), () => deliver()));
                throw new TimeoutException();
            default:
                return deliver();
        }
    }

    private sealed class Publisher(SimulatedHop hop, string activation) : IOutboxSource<string, PodRow>
    {
        public RowTable<string, PodRow> Rows { get; } = new(PodRows.Kind, hop._time);

        public Outboxes<string, PodRow> Outboxes { get; } = new(new OutboxSettings(activation, hop._loops, hop._time, hop._random, (_, _) => { }));

        public bool IsSynced { get; set; }

        public string ObjectUid => "service";

        public long SpecVersion => 1;

        public void Apply(PodRow row)
        {
            if (Rows.Merge(row))
            {
                foreach (var outbox in Outboxes.All)
                {
                    outbox.Mark(row.Name);
                }
            }
        }

        // Messages go to the grain, wherever it lives now: the newest activation.
        public Delta<PodRow> Subscribe(StreamName stream) =>
            Outboxes.Subscribe(stream, this, (delta, stop) => hop.CarryAsync(() => hop.Deliver(delta), stop)).Answer;

        PodRow[] IOutboxSource<string, PodRow>.Rows() => [.. Rows.All];

        PodRow[] IOutboxSource<string, PodRow>.Rows(IReadOnlyCollection<string> keys) =>
            [.. keys.Select(key => Rows.TryGet(key, out var row) ? row : null).OfType<PodRow>()];
    }

    private DeliveryAck Deliver(Delta<PodRow> delta)
    {
        var receiver = _receivers[^1];
        Seen.StaleActivation += delta.Stream.Receiver != receiver.Activation || delta.Publisher != _publishers[^1].Outboxes.Publisher ? 1 : 0;
        var ack = receiver.Subscription.OnDelta(delta);
        Seen.Gone += ack == DeliveryAck.Gone ? 1 : 0;
        Seen.Resync += ack == DeliveryAck.Resync ? 1 : 0;
        return ack;
    }

    // Unknown is not empty: what lives is never taken for ended, at no moment.
    private void CheckNothingIsLost(Receiver receiver) =>
        WronglyEnded += receiver.Rows.All.Count(row => row.IsEnded && _truth.TryGetValue(row.Name, out var living) && living.Order.Uid == row.Order.Uid);

    private sealed class Receiver : ISubscriptionTarget<PodRow>
    {
        private readonly SimulatedHop _hop;

        public Receiver(SimulatedHop hop, string activation)
        {
            _hop = hop;
            Activation = activation;
            var never = new TaskCompletionSource().Task;
            var settings = new SubscriptionSettings(activation, hop._time, hop._random, new SemaphoreSlim(64), hop._loops, () => never, _ => { });
            Subscription = new Subscription<string, PodRow>(PodRows.Kind, this, settings, _ => hop.CheckNothingIsLost(this));
        }

        public string Activation { get; }

        public Subscription<string, PodRow> Subscription { get; }

        public RowTable<string, PodRow> Rows => Subscription.Rows;

        public string ObjectUid => "service";

        public Task<Delta<PodRow>> SubscribeAsync(StreamName stream, CancellationToken stop) =>
            _hop.CarryAsync(() => _hop._publishers[^1].Subscribe(stream), stop);

        public async Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop)
        {
            var ack = await _hop.CarryAsync(() => _hop._publishers[^1].Outboxes.Renew(renewal), stop);
            _hop.Seen.RenewalResync += ack == RenewalAck.Resync ? 1 : 0;
            return ack;
        }

        public Task UnsubscribeAsync(StreamName stream) => Task.CompletedTask;
    }
}

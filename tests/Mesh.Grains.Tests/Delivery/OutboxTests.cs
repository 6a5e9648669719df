using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Delivery;

public class OutboxTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly JumpingClock _clock;
    private readonly WatchedLoops _loops;
    private readonly TurnScheduler _turns = new();
    private readonly PodSource _source = new();
    private readonly List<(Delta<PodRow> Delta, TaskCompletionSource<DeliveryAck> Answer)> _sent = [];

    public OutboxTests() => (_clock, _loops) = (new JumpingClock(_time), new WatchedLoops(_time));

    [Fact]
    public void One_message_is_in_flight_and_what_changes_meanwhile_is_folded_into_the_next()
    {
        var outbox = Open();
        Put(outbox, "a", 1);
        Assert.Equal(["a"], Names(_sent.Single().Delta));
        for (var liveness = 2UL; liveness < 100; liveness++)
        {
            Put(outbox, "a", liveness);
            Put(outbox, "b", liveness);
        }

        Assert.Single(_sent);
        Answer(0, DeliveryAck.Ok);
        Assert.Equal(2, _sent.Count);
        Assert.Equal(["a", "b"], Names(_sent[1].Delta));
        Assert.All(_sent[1].Delta.Rows, row => Assert.Equal(99UL, row.Order.Liveness)); // the newest only
        Answer(1, DeliveryAck.Ok);
        Assert.True(outbox.IsQuiet);
    }

    [Fact]
    public void A_receiver_that_does_not_answer_takes_no_time_of_another()
    {
        var (slow, fast) = (Open("slow"), Open("fast"));
        for (var liveness = 1UL; liveness <= 3; liveness++)
        {
            Put(slow, "a", liveness);
            Put(fast, "a", liveness);
            AnswerNewest("fast");
        }

        Assert.Equal(1, _sent.Count(message => message.Delta.Stream.Receiver == "slow"));
        Assert.Equal(3, _sent.Count(message => message.Delta.Stream.Receiver == "fast"));
    }

    [Fact]
    public void A_message_that_was_not_acknowledged_is_sent_again_within_20_ms_and_covers_the_lost_one()
    {
        var outbox = Open();
        Put(outbox, "a", 1);
        Fail(0);
        Assert.Single(_sent);
        Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(2, _sent.Count);
        Assert.Equal(_sent[0].Delta.From, _sent[1].Delta.From);
        Assert.Equal(["a"], Names(_sent[1].Delta));
    }

    [Fact]
    public void Gone_ends_that_subscription_only()
    {
        var outboxes = new Outboxes<string, PodRow>(Settings());
        var (old, _) = outboxes.Subscribe(new StreamName("old activation", 7), _source, SendAsync);
        var (next, _) = outboxes.Subscribe(new StreamName("new activation", 1), _source, SendAsync);
        Put(old, "a", 1);
        Put(next, "a", 1);
        Answer(0, DeliveryAck.Gone);
        Answer(1, DeliveryAck.Ok);
        Put(old, "a", 2);
        Put(next, "a", 2);
        Assert.True(old.IsForgotten);
        Assert.Equal(["old activation", "new activation", "new activation"], _sent.Select(message => message.Delta.Stream.Receiver));
    }

    [Fact]
    [Trait("Row", "CP-D15")]
    public void Of_too_many_the_one_that_was_opened_or_renewed_longest_ago_gives_way()
    {
        var outboxes = new Outboxes<string, PodRow>(Settings());
        var opened = Enumerable.Range(0, Outboxes<string, PodRow>.MaxSubscriptions).Select(number => Subscribe($"r{number}")).ToList();
        outboxes.Unsubscribe(new StreamName("r0", 1));
        var next = Subscribe("next"); // in the place of the first
        foreach (var number in new[] { 1, 2, 4 })
        {
            Assert.Equal(RenewalAck.Ok, outboxes.Renew(new Renewal(new StreamName($"r{number}", 1), "publisher", 1, "service")));
        }

        var last = Subscribe("last");
        Assert.Equal([0, 3], Enumerable.Range(0, opened.Count).Where(number => opened[number].IsForgotten));
        Assert.False(next.IsForgotten || last.IsForgotten);
        Assert.Equal(Outboxes<string, PodRow>.MaxSubscriptions, outboxes.All.Count);

        Outbox<string, PodRow> Subscribe(string receiver) => outboxes.Subscribe(new StreamName(receiver, 1), _source, SendAsync).Outbox;
    }

    [Fact]
    public void Resync_is_followed_by_the_whole_set()
    {
        var outbox = Open();
        _source.Rows["b"] = Some.Row("b", 2, 1);
        Put(outbox, "a", 1);
        Answer(0, DeliveryAck.Resync);
        Advance(TimeSpan.FromMilliseconds(20));
        Assert.True(_sent[1].Delta.IsFull);
        Assert.Equal(["a", "b"], Names(_sent[1].Delta));
    }

    [Fact]
    public void A_receiver_that_neither_answers_nor_renews_for_three_renewals_is_forgotten()
    {
        var outbox = Open();
        Put(outbox, "a", 1);
        for (var passed = TimeSpan.Zero; passed <= Outbox<string, PodRow>.ForgetAfter; passed += TimeSpan.FromSeconds(1))
        {
            Fail(_sent.Count - 1);
            Advance(TimeSpan.FromSeconds(1));
        }

        Fail(_sent.Count - 1);
        Assert.True(outbox.IsForgotten);
        Assert.Equal(RenewalAck.Resync, outbox.Renew(1));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    public void A_receiver_is_forgotten_after_as_long_a_silence_whatever_the_wall_clock_is_set_to(int hours)
    {
        var outbox = Open();
        Put(outbox, "a", 1);
        _clock.SetWall(TimeSpan.FromHours(hours));
        for (var passed = TimeSpan.Zero; passed < Outbox<string, PodRow>.ForgetAfter; passed += TimeSpan.FromSeconds(1))
        {
            Fail(_sent.Count - 1);
            Assert.False(outbox.IsForgotten);
            Advance(TimeSpan.FromSeconds(1));
        }

        Advance(TimeSpan.FromSeconds(1));
        Fail(_sent.Count - 1);
        Assert.True(outbox.IsForgotten);
    }

    [Fact]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "outbox")]
    public void Rows_that_an_exception_kept_from_being_read_are_sent_after_it()
    {
        var outbox = Open();
        _source.Fault = new InvalidDataException("planted");
        Put(outbox, "a", 1);
        Put(outbox, "b", 1);
        Assert.Empty(_sent);
        Assert.Contains("'outbox' ended unexpectedly (InvalidDataException: planted)", Assert.Single(_loops.Lines).Text, StringComparison.Ordinal);

        Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(["a", "b"], Names(_sent.Single().Delta));
        Answer(0, DeliveryAck.Ok);
        Assert.True(outbox.IsQuiet);
        Assert.Null(_loops.Loops.WhyNotReady());
    }

    private static IEnumerable<string> Names(Delta<PodRow> delta) => delta.Rows.Select(row => row.Name).Order();

    private OutboxSettings Settings() => new("publisher", _loops.Loops, _clock, new Random(1), (_, _) => { });

    private Outbox<string, PodRow> Open(string receiver = "receiver") => new(new StreamName(receiver, 1), _source, SendAsync, Settings());

    private Task<DeliveryAck> SendAsync(Delta<PodRow> delta, CancellationToken stop)
    {
        var answer = new TaskCompletionSource<DeliveryAck>();
        _sent.Add((delta, answer));
        return answer.Task;
    }

    private void Put(Outbox<string, PodRow> outbox, string name, ulong liveness)
    {
        _source.Rows[name] = Some.Row(name, 1, liveness);
        _turns.Run(() => outbox.Mark(name));
    }

    private void Answer(int message, DeliveryAck ack) => _turns.Run(() => _sent[message].Answer.SetResult(ack));

    private void AnswerNewest(string receiver) =>
        _turns.Run(() => _sent.Last(message => message.Delta.Stream.Receiver == receiver).Answer.TrySetResult(DeliveryAck.Ok));

    private void Fail(int message) => _turns.Run(() => _sent[message].Answer.TrySetException(new TimeoutException()));

    private void Advance(TimeSpan by)
    {
        _time.Advance(by);
        _turns.RunAll();
    }

    private sealed class PodSource : IOutboxSource<string, PodRow>
    {
        public SortedDictionary<string, PodRow> Rows { get; } = new(StringComparer.Ordinal);

        public bool IsSynced => true;

        public string ObjectUid => "service";

        public long SpecVersion => 1;

        PodRow[] IOutboxSource<string, PodRow>.Rows() => [.. Rows.Values];

        /// <summary>What the next question meets.</summary>
        public Exception? Fault { get; set; }

        PodRow[] IOutboxSource<string, PodRow>.Rows(IReadOnlyCollection<string> keys)
        {
            if (Fault is { } fault)
            {
                Fault = null;
                throw fault;
            }

            return [.. keys.Where(Rows.ContainsKey).Select(key => Rows[key])];
        }
    }
}

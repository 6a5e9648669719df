using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Delivery;

public class DeltaReceiverTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly JumpingClock _clock;
    private readonly DeltaReceiver<string, PodRow> _receiver;

    public DeltaReceiverTests()
    {
        _clock = new JumpingClock(_time);
        _receiver = new DeltaReceiver<string, PodRow>("receiver", PodRows.Kind, _clock);
    }

    [Fact]
    public void Only_the_newest_subscription_is_followed_and_all_else_is_answered_Gone()
    {
        var old = _receiver.BeginSubscribe("service");
        var newest = _receiver.BeginSubscribe("service");
        Assert.Null(_receiver.Answer(Full(old, "publisher", Some.Row("a", 1, 1))));
        Assert.NotNull(_receiver.Answer(Full(newest, "publisher", Some.Row("b", 1, 1))));
        Assert.Equal(DeliveryAck.Gone, Receive(Full(old, "publisher", Some.Row("c", 1, 1))));
        Assert.Equal(DeliveryAck.Gone, Receive(Full(newest, "another activation", Some.Row("c", 1, 1))));
        Assert.Equal(DeliveryAck.Gone, Receive(Full(newest with { Receiver = "another activation" }, "publisher", Some.Row("c", 1, 1))));
        Assert.Equal(DeliveryAck.Gone, Receive(Full(newest, "publisher", Some.Row("c", 1, 1)) with { ObjectUid = "another object" }));
        Assert.Equal(["b"], Living());
    }

    [Fact]
    public void A_gap_and_a_delta_that_overtakes_the_answer_are_answered_Resync()
    {
        var stream = _receiver.BeginSubscribe("service");
        Assert.Equal(DeliveryAck.Resync, Receive(Part(stream, from: 1, to: 2, Some.Row("b", 1, 1))));
        _receiver.Answer(Full(stream, "publisher", Some.Row("a", 1, 1)));
        Assert.Equal(DeliveryAck.Ok, Receive(Part(stream, from: 1, to: 2, Some.Row("b", 1, 1))));
        Assert.Equal(DeliveryAck.Resync, Receive(Part(stream, from: 3, to: 4, Some.Row("c", 1, 1))));
        Assert.Equal(["a", "b"], Living());
    }

    [Fact]
    public void Rows_that_an_unsynced_set_lacks_stay_and_those_that_a_synced_one_lacks_go()
    {
        _receiver.Answer(Full(_receiver.BeginSubscribe("service"), "first", Some.Row("a", 1, 1), Some.Row("b", 1, 1)));
        var stream = _receiver.BeginSubscribe("service");
        _receiver.Answer(Full(stream, "second", Some.Row("a", 1, 1)) with { IsSynced = false });
        Assert.Equal(["a", "b"], Living());
        Assert.False(_receiver.IsSynced);
        Assert.Equal(DeliveryAck.Ok, Receive(Full(stream, "second", Some.Row("a", 1, 1)) with { From = 1, To = 2 }));
        Assert.Equal(["a"], Living());
        Assert.True(_receiver.IsSynced);
    }

    [Fact]
    public void No_message_full_or_not_lowers_any_part_of_a_row()
    {
        var stream = _receiver.BeginSubscribe("service");
        var newest = Some.Row("a", created: 5, liveness: 9, ready: false, spec: 7);
        _receiver.Answer(Full(stream, "publisher", newest));
        Receive(Full(stream, "publisher", Some.Row("a", 5, liveness: 8, spec: 7)) with { From = 1, To = 2 });
        Receive(Part(stream, from: 2, to: 3, Some.Row("a", 5, liveness: 9, app: "older", spec: 6)));
        Receive(Part(stream, from: 3, to: 4, Some.Row("a", created: 4, liveness: 99, spec: 99)));
        Assert.Equal((newest.Order, false, "web"), Row("a"));

        // Each part by its own order: newer labels with older readiness change the labels only.
        Receive(Part(stream, from: 4, to: 5, Some.Row("a", 5, liveness: 3, app: "newer", spec: 8)));
        Assert.Equal((newest.Order with { SpecVersion = 8 }, false, "newer"), Row("a"));

        // A later object of the same name replaces everything, whatever its liveness.
        var later = Some.Row("a", created: 20, liveness: 1);
        Receive(Part(stream, from: 5, to: 6, later));
        Assert.Equal((later.Order, true, "web"), Row("a"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    public void What_ended_stays_ten_minutes_as_a_tombstone_and_nothing_older_brings_it_back(int hoursThatTheWallClockIsSet)
    {
        var stream = _receiver.BeginSubscribe("service");
        var row = Some.Row("a", 1, 1);
        _receiver.Answer(Full(stream, "publisher", row));
        Receive(Part(stream, from: 1, to: 2, row.Ended()));
        _clock.SetWall(TimeSpan.FromHours(hoursThatTheWallClockIsSet));
        _time.Advance(RowTable<string, PodRow>.TombstoneAge - TimeSpan.FromSeconds(1));
        Receive(Part(stream, from: 2, to: 3, row));
        Assert.Empty(Living());
        Assert.Equal(1, _receiver.Rows.Count);
        _time.Advance(TimeSpan.FromSeconds(2));
        Receive(Part(stream, from: 3, to: 4, Some.Row("b", 2, 1)));
        Assert.Equal(1, _receiver.Rows.Count);
    }

    private static Delta<PodRow> Full(StreamName stream, string publisher, params PodRow[] rows) => new(stream, publisher, 0, 1, true, true, "service", 1, rows);

    private static Delta<PodRow> Part(StreamName stream, long from, long to, params PodRow[] rows) =>
        new(stream, "publisher", from, to, false, true, "service", 1, rows);

    private DeliveryAck Receive(Delta<PodRow> delta) => _receiver.Receive(delta).Ack;

    private IEnumerable<string> Living() => _receiver.Rows.All.Where(row => !row.IsEnded).Select(row => row.Name).Order();

    private (OrderMessage Order, bool IsReady, string App) Row(string name)
    {
        Assert.True(_receiver.Rows.TryGet(name, out var row));
        return (row.Order, row.IsReady, row.Labels["app"]);
    }
}

using System.Diagnostics.CodeAnalysis;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Registry;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Delivery;
using Mesh.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Registry;

/// <summary>Which subscribers a changed row is held against.</summary>
public sealed class RegistryRowsTests
{
    private const int Services = 200;

    private readonly FakeTimeProvider _time = new();
    private readonly RegistryRows _rows;
    private readonly TurnScheduler _turns = new();
    private readonly List<string> _told = [];

    public RegistryRowsTests() =>
        _rows = new RegistryRows(new OutboxSettings("registry", WatchedLoops.Unwatched(), _time, new Random(1), static (_, _) => { }));

    [Fact]
    [Trait("Row", "CP-D16")]
    public void Services_that_came_before_their_Pods_and_share_a_label_are_held_against_their_own_Pods_only()
    {
        for (var i = 0; i < Services; i++)
        {
            Subscribe($"s{i}", new() { ["instance"] = "prod", ["name"] = $"app{i}" }); // no Pod of either: neither pair is the rarer
        }

        for (var i = 0; i < Services; i++)
        {
            Apply(Pod(i, ready: false));
        }

        var looks = new CountedLooks();
        Apply(Pod(7, ready: true, looks));

        Assert.InRange(looks.Count, 1, 10);
        Assert.Equal(Enumerable.Range(0, Services).Select(i => $"s{i}").Order(), _told.Distinct().Order()); // each was told of its Pod
        Assert.DoesNotContain(_told, service => _told.Count(other => other == service) > 2);
    }

    [Fact]
    public void A_subscriber_that_moved_to_a_rarer_label_is_told_of_all_it_selects()
    {
        Subscribe("s", new() { ["instance"] = "prod", ["name"] = "app1" });
        Apply(Pod(0, ready: true)); // in vain: the subscriber moves
        Assert.Empty(_told);

        Apply(Pod(1, ready: true));
        Assert.Equal(["s"], _told);
        Assert.Equal(["app1"], Subscribe("t", new() { ["instance"] = "prod", ["name"] = "app1" }).Rows.Select(row => row.Name));
    }

    [Fact]
    [Trait("Row", "CP-D7")]
    public void Services_and_Pods_that_come_and_go_in_number_leave_nothing()
    {
        for (var i = 0; i < Services; i++)
        {
            Subscribe($"s{i}", Selector(i));
            Apply(Pod(i, ready: true));
        }

        Assert.Equal((Services, Services), (_rows.Kept.Rows, _rows.Kept.Subscribers));
        for (var i = 0; i < Services; i++)
        {
            Apply(Pod(i, ready: true).Ended());
            _rows.Outboxes.Unsubscribe(new StreamName($"s{i}", 1)); // after its Pods: no change of theirs finds it
        }

        _time.Advance(RowTable<string, PodRow>.TombstoneAge + TimeSpan.FromSeconds(1));
        _rows.Sweep();
        Assert.Equal((0, 0, 0), _rows.Kept);
    }

    [Fact]
    [Trait("Row", "CP-D7")]
    public void A_subscriber_is_let_go_when_it_is_gone_when_it_opens_another_stream_and_when_its_end_was_lost()
    {
        Subscribe("gone", Selector(1), DeliveryAck.Gone);
        Apply(Pod(1, ready: true)); // it answers
        Assert.Equal(0, _rows.Kept.Subscribers);

        Subscribe("again", Selector(2));
        Subscribe("again", Selector(3), number: 2);
        Subscribe("again", Selector(4), number: 1); // overtaken
        Assert.Equal(1, _rows.Kept.Subscribers);

        Subscribe("living", Selector(5));
        for (var passed = TimeSpan.Zero; passed <= Outbox<string, PodRow>.ForgetAfter; passed += TimeSpan.FromSeconds(30))
        {
            Assert.Equal(RenewalAck.Ok, _rows.Outboxes.Renew(new Renewal(new StreamName("living", 1), "registry", 0, "uid-living")));
            _rows.Sweep();
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        _rows.Sweep();
        Assert.Equal(["living"], _rows.Outboxes.All.Select(outbox => outbox.Stream.Receiver));
        Assert.Equal((1, 1, 2 + 1), _rows.Kept); // the Pod has two labels, and the one Service is found by one
    }

    private static Dictionary<string, string> Selector(int app) => new() { ["name"] = $"app{app}" };

    /// <summary>Whoever is to be told has been, then.</summary>
    private void Apply(PodRow row) => _turns.Run(() => _rows.Apply(row));

    private Delta<PodRow> Subscribe(string service, Dictionary<string, string> selector, DeliveryAck ack = DeliveryAck.Ok, int number = 1) => _rows.Subscribe(
        new PodSubscription(new StreamName(service, number), service, $"uid-{service}", 1, selector),
        (_, _) =>
        {
            _told.Add(service);
            return Task.FromResult(ack);
        });

    private static PodRow Pod(int app, bool ready, CountedLooks? looks = null) => Some.Row($"app{app}", 1000 + app, ready ? 2U : 1U, ready) with
    {
        Labels = new Dictionary<string, string>(looks ?? new CountedLooks()) { ["instance"] = "prod", ["name"] = $"app{app}" },
    };

    /// <summary>Counts how often a key is looked up.</summary>
    private sealed class CountedLooks : IEqualityComparer<string>
    {
        private int _begun = -2; // two keys are put in

        public int Count => _begun;

        public bool Equals(string? x, string? y) => x == y;

        public int GetHashCode([DisallowNull] string obj)
        {
            _begun++;
            return obj.GetHashCode(StringComparison.Ordinal);
        }
    }
}

using System.Diagnostics;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Delivery;

public class SubscriptionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TurnScheduler _turns = new();
    private readonly Target _target = new();
    private readonly WatchedLoops _loops;
    private TaskCompletionSource _membership = new();
    private bool _membershipFails;

    public SubscriptionTests() => _loops = new WatchedLoops(_time);

    [Fact]
    public void A_receiver_renews_every_20_to_30_seconds_with_its_position()
    {
        Open();
        Assert.Equal(1, _target.Subscribed);
        Advance(TimeSpan.FromSeconds(19.9));
        Assert.Empty(_target.Renewals);
        Advance(TimeSpan.FromSeconds(10.1));
        var renewal = Assert.Single(_target.Renewals);
        Assert.Equal(("publisher", 1), (renewal.Publisher, renewal.Position));
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(2, _target.Renewals.Count);
    }

    [Fact]
    public void A_receiver_renews_at_once_when_membership_changes_and_once_more_a_second_later()
    {
        Open();
        var changed = _membership;
        _membership = new TaskCompletionSource();
        _turns.Run(changed.SetResult);
        Assert.Single(_target.Renewals);
        Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _target.Renewals.Count);
        Advance(TimeSpan.FromSeconds(19));
        Assert.Equal(2, _target.Renewals.Count);
    }

    [Fact]
    public void A_renewal_that_another_activation_answers_is_a_new_subscription()
    {
        Open();
        _target.Acks = RenewalAck.Resync;
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(2, _target.Subscribed);
    }

    [Fact]
    public void A_subscribe_that_is_not_answered_is_tried_again_from_20_ms_to_a_second()
    {
        _target.Failing = 7;
        Open();
        Assert.Equal(1, _target.Subscribed);
        Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(2, _target.Subscribed);
        for (var tries = 3; tries <= 8; tries++)
        {
            Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(tries, _target.Subscribed);
        }

        Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(8, _target.Subscribed); // answered
    }

    [Fact]
    public void What_a_subscription_does_after_its_first_try_is_no_part_of_the_request_in_whose_turn_it_began()
    {
        using var request = new Activity("request").Start();
        RequestContext.Set("traceparent", request.Id!);
        Open();
        Assert.Equal((request, request.Id), _target.Within);

        Advance(TimeSpan.FromSeconds(30));

        Assert.Single(_target.Renewals);
        Assert.Equal((null, null), _target.Within);
        RequestContext.Clear();
    }

    [Fact]
    [Trait("Row", "CP-D8")]
    [Trait("Loop", "subscription")]
    public void A_subscription_that_met_an_exception_between_two_questions_goes_on_asking()
    {
        _membershipFails = true;
        Open();
        Assert.Equal(0, _target.Subscribed);
        Assert.Contains("'subscription' ended unexpectedly", Assert.Single(_loops.Lines).Text, StringComparison.Ordinal);

        _membershipFails = false;
        Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, _target.Subscribed);
        Advance(TimeSpan.FromSeconds(30));
        Assert.Single(_target.Renewals);
    }

    private void Open()
    {
        Task Membership() => _membershipFails ? throw PlantedTime.Planted() : _membership.Task;
        var settings = new SubscriptionSettings("receiver", _time, new Random(1), new SemaphoreSlim(64), _loops.Loops, Membership, _ => { });
        _turns.Run(new Subscription<string, PodRow>(PodRows.Kind, _target, settings, _ => { }).Start);
    }

    private void Advance(TimeSpan by)
    {
        _time.Advance(by);
        _turns.RunAll();
    }

    private sealed class Target : ISubscriptionTarget<PodRow>
    {
        public int Subscribed { get; private set; }

        public int Failing { get; set; }

        public List<Renewal> Renewals { get; } = [];

        public RenewalAck Acks { get; set; } = RenewalAck.Ok;

        public string ObjectUid => "service";

        /// <summary>The request that the last call belonged to, as traces see it.</summary>
        public (Activity? Span, object? Header) Within { get; private set; }

        public Task<Delta<PodRow>> SubscribeAsync(StreamName stream, CancellationToken stop)
        {
            Note();
            return ++Subscribed <= Failing
                ? throw new TimeoutException()
                : Task.FromResult(new Delta<PodRow>(stream, "publisher", 0, 1, true, true, "service", 1, [Some.Row("a", 1, 1)]));
        }

        public Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop)
        {
            Note();
            Renewals.Add(renewal);
            return Task.FromResult(Acks);
        }

        public Task UnsubscribeAsync(StreamName stream) => Task.CompletedTask;

        private void Note() => Within = (Activity.Current, RequestContext.Get("traceparent"));
    }
}

using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Grains.Services;
using Mesh.Grains.Tests.Cluster;
using Mesh.Grains.Tests.Delivery;
using Mesh.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Services;

public sealed class ServiceEndpointsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TurnScheduler _turns = new();
    private readonly Registry _registry = new();
    private readonly List<Delta<EndpointRow>> _told = [];

    [Fact]
    [Trait("Row", "CP-N4")]
    public void A_gateway_that_subscribed_while_the_registry_moved_is_told_once_the_set_is_whole_and_others_are_not_told_again()
    {
        var loops = new WatchedLoops(_time).Loops;
        var asking = new SubscriptionSettings("service", _time, new Random(1), new SemaphoreSlim(64), loops, static () => new TaskCompletionSource().Task, static _ => { });
        var endpoints = new ServiceEndpoints(
            mine => new Subscription<string, PodRow>(PodRows.Kind, _registry, asking, mine.OnReceived),
            new OutboxSettings("service", loops, _time, new Random(1), static (_, _) => { }),
            static () => { });
        _turns.Run(() => endpoints.Follow(ServiceParser.Parse(Encoding.UTF8.GetBytes(Some.Service(NamespacedName.Of("default", "web"))), 1)));
        Assert.True(Subscribe(endpoints, "first").IsSynced);

        _registry.HasMoved = true;
        _time.Advance(TimeSpan.FromSeconds(30)); // its renewal finds another activation, which does not answer yet
        _turns.RunAll();
        Assert.False(Subscribe(endpoints, "second").IsSynced);

        _turns.Run(_registry.Settled.SetResult);
        _turns.RunAll();
        var told = Assert.Single(_told);
        Assert.Equal(("second", true, true), (told.Stream.Receiver, told.IsFull, told.IsSynced));
    }

    private Delta<EndpointRow> Subscribe(ServiceEndpoints endpoints, string receiver)
    {
        Delta<EndpointRow> answer = null!;
        _turns.Run(() => answer = endpoints.Outboxes.Subscribe(new StreamName(receiver, 1), endpoints, (delta, _) =>
        {
            _told.Add(delta);
            return Task.FromResult(DeliveryAck.Ok);
        }).Answer);
        return answer;
    }

    private sealed class Registry : ISubscriptionTarget<PodRow>
    {
        public bool HasMoved { get; set; }

        public TaskCompletionSource Settled { get; } = new();

        public string ObjectUid => "uid-web";

        public async Task<Delta<PodRow>> SubscribeAsync(StreamName stream, CancellationToken stop)
        {
            if (HasMoved)
            {
                await Settled.Task.WaitAsync(stop);
            }

            return new Delta<PodRow>(stream, HasMoved ? "next" : "registry", 0, 1, true, true, ObjectUid, 0, []);
        }

        public Task<RenewalAck> RenewAsync(Renewal renewal, CancellationToken stop) => Task.FromResult(HasMoved ? RenewalAck.Resync : RenewalAck.Ok);

        public Task UnsubscribeAsync(StreamName stream) => Task.CompletedTask;
    }
}

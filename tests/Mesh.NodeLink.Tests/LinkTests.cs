using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Xunit;

namespace Mesh.NodeLink.Tests;

public sealed class LinkTests
{
    [Fact(Timeout = 30_000)]
    public async Task A_node_that_links_is_welcomed_with_its_options_and_sends_its_inventory()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket, new PodState { Namespace = "default", Name = "web", Uid = "u1", Liveness = 5 });

        var session = await silo.Sessions.Reader.ReadAsync(stop);
        var options = await node.Welcomes.Reader.ReadAsync(stop);
        var inventory = await silo.Inventories.Reader.ReadAsync(stop);

        Assert.Equal("n1", session.Hello.NodeName);
        Assert.Equal(NodeOptionsDocument.Write(FakeSilo.Options), NodeOptionsDocument.Write(options));
        Assert.Equal("web", Assert.Single(inventory.Pods).Name);
        Assert.Equal(7ul, inventory.Counter);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-N1")]
    public async Task A_node_numbers_its_links_itself_so_that_of_two_silos_each_knows_which_is_newer()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var node = new FakeNode(place.Socket);
        var numbers = new List<ulong>();
        for (var i = 0; i < 3; i++)
        {
            await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
            numbers.Add((await silo.Sessions.Reader.ReadAsync(stop)).Hello.Link);
        }

        Assert.Equal(numbers.Order().Distinct(), numbers);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_change_is_acknowledged_when_the_node_has_published_it_and_not_before()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket);
        node.HoldsBack = true;
        var session = await silo.Sessions.Reader.ReadAsync(stop);

        var telling = session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, stop);
        var (changes, synced) = await node.Applied.Reader.ReadAsync(stop);
        node.Outbox.Put(Report("u1"));
        await silo.Reports.Reader.ReadAsync(stop);

        // What the node said after it got the change has arrived, and was no acknowledgement.
        Assert.False(telling.IsCompleted);
        node.MayPublish.Release();
        await telling;

        Assert.Equal(new RoutingChange.NamespaceExists("default", true), Assert.Single(changes));
        Assert.True(synced);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "link")]
    public async Task A_change_that_met_an_exception_ends_its_link_and_no_later_one()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket);
        var session = await silo.Sessions.Reader.ReadAsync(stop);
        node.Fault = new InvalidDataException("planted");

        await Assert.ThrowsAsync<LinkLostException>(() => session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, stop));
        Assert.IsType<InvalidDataException>(await node.Loops.EndedAsync("link", stop));
        await node.Losses.Reader.ReadAsync(stop);

        var next = await silo.Sessions.Reader.ReadAsync(stop);
        await next.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, stop);
        Assert.Equal(new RoutingChange.NamespaceExists("default", true), Assert.Single((await node.Applied.Reader.ReadAsync(stop)).Changes));
    }

    [Fact(Timeout = 30_000)]
    public async Task Only_the_last_batch_of_many_changes_says_synced_and_their_order_is_kept()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket);
        var session = await silo.Sessions.Reader.ReadAsync(stop);
        var changes = Enumerable.Range(0, 40).Select(i => (RoutingChange)new RoutingChange.IngressSpec(Document($"i{i}", 100_000))).ToImmutableArray();

        await session.ApplyAsync(changes, synced: true, stop);

        var told = new List<(ImmutableArray<RoutingChange> Changes, bool Synced)>();
        while (node.Applied.Reader.TryRead(out var batch))
        {
            told.Add(batch);
        }

        Assert.True(told.Count >= 4, $"{told.Count} batches");
        Assert.Equal(1, told.Count(batch => batch.Synced));
        Assert.True(told[^1].Synced);
        Assert.Equal(
            Enumerable.Range(0, 40).Select(i => $"i{i}"),
            told.SelectMany(batch => batch.Changes).Cast<RoutingChange.IngressSpec>().Select(change => change.Object.Name.Name));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_report_is_repeated_until_the_silo_has_it()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        var failures = 0;
        silo.Answer = (_, _) => Interlocked.Increment(ref failures) switch
        {
            1 => throw new InvalidOperationException("the grain is moving"),
            2 => Task.FromResult(new ReportAck { Result = ReportAck.Types.Result.Retry }),
            _ => Task.FromResult(new ReportAck { CreatedVersion = 9 }),
        };
        await using var node = new FakeNode(place.Socket);

        node.Outbox.Put(Report("u1", ended: true));

        ReportAck ack;
        do
        {
            (_, ack) = await node.Acks.Reader.ReadAsync(stop);
        }
        while (ack.Result != ReportAck.Types.Result.Accepted);

        Assert.Equal(9, ack.CreatedVersion);
        Assert.Equal(3, silo.Seen["u1"]);
        Assert.Equal(0, node.Outbox.Count);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_silo_that_dies_with_a_report_in_hand_is_told_again_when_it_is_back()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        var first = await FakeSilo.StartAsync(place.Socket, stop);
        first.Answer = async (_, ended) =>
        {
            await new TaskCompletionSource().Task.WaitAsync(ended);
            return new ReportAck();
        };
        await using var node = new FakeNode(place.Socket);
        node.Outbox.Put(Report("u1", ended: true));
        await first.Reports.Reader.ReadAsync(stop);
        await first.Inventories.Reader.ReadAsync(stop);

        await first.DisposeAsync();
        await node.Losses.Reader.ReadAsync(stop);
        await using var second = await FakeSilo.StartAsync(place.Socket, stop);

        var again = await second.Reports.Reader.ReadAsync(stop);
        await second.Inventories.Reader.ReadAsync(stop);
        var (acknowledged, _) = await node.Acks.Reader.ReadAsync(stop);
        Assert.Equal(("u1", true), (again.Uid, again.Ended));
        Assert.Equal("u1", acknowledged.Uid);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_is_being_told_when_the_node_leaves_ends_with_a_lost_link()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        var node = new FakeNode(place.Socket);
        var session = await silo.Sessions.Reader.ReadAsync(stop);
        await node.DisposeAsync();

        await Assert.ThrowsAsync<LinkLostException>(() => session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], false, stop));
        await Assert.ThrowsAsync<LinkLostException>(() => session.ApplyAsync([], false, stop));
    }

    [Fact(Timeout = 30_000)]
    public async Task An_inventory_asked_for_is_of_that_namespace()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(
            place.Socket, new PodState { Namespace = "a", Name = "x", Uid = "u1" }, new PodState { Namespace = "b", Name = "y", Uid = "u2" });
        var session = await silo.Sessions.Reader.ReadAsync(stop);
        Assert.Equal(2, (await silo.Inventories.Reader.ReadAsync(stop)).Pods.Count);

        session.RequestInventory("b");

        var inventory = await silo.Inventories.Reader.ReadAsync(stop);
        Assert.Equal("b", inventory.Namespace);
        Assert.Equal("y", Assert.Single(inventory.Pods).Name);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_session_meets_at_the_silos_end_is_told_and_the_node_links_again()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        silo.FailsOnce = true;

        await using var node = new FakeNode(place.Socket, new PodState { Namespace = "a", Name = "x", Uid = "u1" });

        var first = await silo.Sessions.Reader.ReadAsync(stop);
        var second = await silo.Sessions.Reader.ReadAsync(stop);
        Assert.Single((await silo.Inventories.Reader.ReadAsync(stop)).Pods);
        var told = Assert.Single(silo.Told.Lines);
        Assert.StartsWith($"Error: Link session {first.Id} met an exception", told, StringComparison.Ordinal);
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_drain_completes_when_the_node_has_drained()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket);
        var session = await silo.Sessions.Reader.ReadAsync(stop);

        await session.DrainAsync(TimeSpan.FromSeconds(10), stop);
    }

    [Fact(Timeout = 60_000)]
    public async Task Ten_thousand_reports_all_arrive_though_every_tenth_answer_says_retry()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        var count = 0;
        silo.Answer = (_, _) => Task.FromResult(new ReportAck
        {
            Result = Interlocked.Increment(ref count) % 10 == 0 ? ReportAck.Types.Result.Retry : ReportAck.Types.Result.Accepted,
        });
        await using var node = new FakeNode(place.Socket);

        for (var i = 0; i < 10_000; i++)
        {
            node.Outbox.Put(Report($"u{i}"));
        }

        for (var accepted = 0; accepted < 10_000;)
        {
            var (_, ack) = await node.Acks.Reader.ReadAsync(stop);
            accepted += ack.Result == ReportAck.Types.Result.Accepted ? 1 : 0;
        }

        Assert.Equal(10_000, silo.Seen.Count);
        Assert.Equal(0, node.Outbox.Count);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_socket_is_for_this_user_only_and_an_old_one_is_replaced()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place();
        await File.WriteAllTextAsync(place.Socket, "left by a killed silo", stop);

        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(place.Socket));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_data_directory_too_deep_for_a_socket_is_linked_to_a_short_one()
    {
        var stop = TestContext.Current.CancellationToken;
        using var place = new Place(new string('d', 120));
        await using var silo = await FakeSilo.StartAsync(place.Socket, stop);
        await using var node = new FakeNode(place.Socket);

        await silo.Sessions.Reader.ReadAsync(stop);

        Assert.NotNull(new FileInfo(place.Socket).LinkTarget);
    }

    internal static PodReport Report(string uid, bool ended = false) =>
        new() { Namespace = "default", Name = uid, Uid = uid, Registered = true, Ended = ended };

    private static ObjectDocument Document(string name, int bytes) => new(NamespacedName.Of("default", name), "u-" + name, 1, 1, new byte[bytes]);
}

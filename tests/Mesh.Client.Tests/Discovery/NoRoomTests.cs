using Mesh.ServiceDiscovery;
using Mesh.Testing.Routing;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>What becomes of a Service's followers while the node takes no more watches.</summary>
public sealed class NoRoomTests
{
    private const string Ports = DiscoveryUnderTest.Ports;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.6")]
    [Trait("Row", "ECO-3.5.7")]
    public async Task A_node_that_takes_no_more_watches_is_asked_again_and_again_and_for_a_watch_when_it_has_room()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Namespace("default");
        node.Told.Service("default/web", Ports, Pod(1), Pod(2));
        node.Told.Synced();
        var others = node.TakeAllWatches();
        var time = new ArmedTime();
        await using var discovery = DiscoveryUnderTest.Of(node, time);

        var found = await discovery.ResolveAsync("http://web", Stop);
        Assert.Equal(2, found.Endpoints.Count);

        // What says the same is no change, though its revision is another.
        var watch = discovery.Watches.Acquire(new MeshServiceName("default", "web", null))!;
        var seen = RevisionOf(watch);
        node.Told.Service("default/other", Ports, Pod(9));
        await time.UntilAsync(MeetsAsync(() => RevisionOf(watch) > seen), WatchSource.AnswerTimeout, Stop);
        Assert.False(found.ChangeToken.HasChanged);

        node.Told.Service("default/web", Ports, Pod(7));
        await time.UntilAsync(ChangedAsync(found.ChangeToken), WatchSource.AnswerTimeout, Stop);
        Assert.Equal(["http://10.0.0.7:8007/"], await discovery.AddressesAsync("http://web", Stop));

        others.Dispose();
        await time.UntilAsync(MeetsAsync(() => node.Watches == 1), WatchSource.AnswerTimeout, Stop);
        var watched = await discovery.ResolveAsync("http://web", Stop);
        node.Told.Service("default/web", Ports, Pod(8));
        await ChangedAsync(watched.ChangeToken); // and time stands still
    }

    private static ToldPod Pod(int number) => new($"web-{number}", $"10.0.0.{number}", ("http", 8000 + number));

    private static long RevisionOf(ServiceWatch watch) => ((ServiceWord.Known)watch.Word).Service.Revision;

    private static async Task MeetsAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Yield();
        }
    }

    private static async Task ChangedAsync(IChangeToken token)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.RegisterChangeCallback(_ => changed.TrySetResult(), null);
        await changed.Task.WaitAsync(Stop);
    }
}

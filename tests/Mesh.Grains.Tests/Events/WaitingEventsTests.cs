using Mesh.Core.Names;
using Mesh.Grains.Events;
using Xunit;

namespace Mesh.Grains.Tests.Events;

public class WaitingEventsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact(Timeout = 60_000)]
    public async Task What_happens_again_while_it_waits_is_counted_with_its_first_and_last_time()
    {
        var waiting = new WaitingEvents(2);
        Assert.True(waiting.TryAdd(Failed("a"), Once(0)));
        Assert.True(waiting.TryAdd(Failed("b"), Once(1)));
        Assert.True(waiting.TryAdd(Failed("a"), Once(2)));
        var stop = TestContext.Current.CancellationToken;
        Assert.Equal((Failed("a"), new Times(2, Now, Now.AddSeconds(2))), await waiting.TakeAsync(stop));
        Assert.Equal((Failed("b"), Once(1)), await waiting.TakeAsync(stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task Another_than_those_that_fit_is_refused_until_one_is_taken()
    {
        var waiting = new WaitingEvents(1);
        Assert.True(waiting.TryAdd(Failed("a"), Once(0)));
        Assert.False(waiting.TryAdd(Failed("b"), Once(0)));
        await waiting.TakeAsync(TestContext.Current.CancellationToken);
        Assert.True(waiting.TryAdd(Failed("b"), Once(0)));
    }

    [Fact]
    public void The_name_of_an_Event_follows_from_what_it_tells_and_is_a_legal_one()
    {
        Assert.Equal(Failed("a").Key, Failed("a").Key);
        Assert.NotEqual(Failed("a").Key, (Failed("a") with { Message = "other" }).Key);
        Assert.NotEqual(Failed("a").Key, (Failed("a") with { AboutUid = "other" }).Key);
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 62), 4));
        Assert.InRange(Failed(longest).Key.Name.Length, 1, 253);
        Assert.Equal("default", Occurrence.Of(new ObjectKey("", "Node", "", "n"), "u", true, "R", "m").Key.Namespace);
        Assert.Equal(1024, Occurrence.Of(new ObjectKey("", "Pod", "shop", "a"), "u", true, "R", new string('m', 5000)).Message.Length);
    }

    private static Occurrence Failed(string pod) =>
        Occurrence.Of(new ObjectKey("", "Pod", "shop", pod), "uid-" + pod, isWarning: true, "Unhealthy", "Readiness probe failed: refused");

    private static Times Once(int second) => new(1, Now.AddSeconds(second), Now.AddSeconds(second));
}

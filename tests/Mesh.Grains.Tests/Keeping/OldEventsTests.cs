using System.Globalization;
using Mesh.Core.Names;
using Mesh.Grains.Keeping;
using Mesh.Grains.Tests.Cluster;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Keeping;

public class OldEventsTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly StillCache _cache = new();
    private readonly JumpingClock _clock;
    private readonly OldEvents _old;

    public OldEventsTests()
    {
        _clock = new JumpingClock(_time);
        _old = new OldEvents(_cache, _clock);
    }

    [Fact]
    public void An_Event_lives_for_an_hour_after_it_was_last_written()
    {
        Put("first", 1);
        Put("counted", 2);
        Pass(TimeSpan.FromMinutes(30));
        Put("counted", 3);
        Assert.Empty(Pass(TimeSpan.FromMinutes(29)));
        Assert.Equal(["first"], Pass(TimeSpan.FromMinutes(2)));
        Assert.Equal(["counted", "first"], Pass(TimeSpan.FromMinutes(30)));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    [Trait("Row", "CP-N7")]
    public void No_wall_clock_makes_an_Event_older_or_younger(int hours)
    {
        Put("new", 1);
        _clock.SetWall(TimeSpan.FromHours(hours));
        Put("of-a-clock-ahead", 2, seen: _time.GetUtcNow().AddHours(5));
        Put("of-a-clock-behind", 3, seen: _time.GetUtcNow().AddHours(-5));
        Assert.Empty(Pass(TimeSpan.FromMinutes(59)));
        Assert.Equal(3, Pass(TimeSpan.FromMinutes(2)).Count);
    }

    [Fact]
    public void Of_too_many_the_oldest_go_however_young()
    {
        for (var i = 1; i <= OldEvents.MostEvents + 2; i++)
        {
            Put($"e{i}", i);
        }

        Assert.Equal(["e1", "e2"], Pass(TimeSpan.FromMinutes(1)));
    }

    private void Put(string name, long version, DateTimeOffset? seen = null) => _cache.Put(
        Kinds.Event(NamespacedName.Of("default", name)),
        version,
        $$"""{"lastTimestamp":"{{(seen ?? _clock.GetUtcNow()).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}}"}""");

    /// <summary>Time passes, with a look each minute as the Keeper's; what is old then.</summary>
    private List<string> Pass(TimeSpan time)
    {
        List<string> old = [.. _old.Look().Select(stored => stored.Key.Name)];
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMinutes(1))
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            old = [.. _old.Look().Select(stored => stored.Key.Name).Order()];
        }

        return old;
    }
}

using Mesh.ApiServer.Requests;
using Mesh.Storage;
using Mesh.Testing.Time;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.ApiServer.Tests;

public class PagedListTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [Trait("Row", "CP-D2")]
    public void A_list_is_kept_for_five_minutes_whatever_the_wall_clock_is_set_to(int hours)
    {
        var time = new FakeTimeProvider();
        var clock = new JumpingClock(time);
        var lists = new PagedLists(clock, new Chance(new Random(1)));
        var token = lists.Hold("pods", new CacheList(7, []), 0);
        clock.SetWall(TimeSpan.FromHours(hours));
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(7, lists.Resume("pods", token)?.List.Version);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(lists.Resume("pods", token));
    }
}

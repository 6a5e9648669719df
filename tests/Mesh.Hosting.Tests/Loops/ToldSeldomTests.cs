using Mesh.Loops;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Hosting.Tests.Loops;

/// <summary>What the log tells of what happens often.</summary>
[Trait("Row", "DP-D14")]
public sealed class ToldSeldomTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_first_is_told_at_once_and_the_rest_by_their_number_once_a_minute()
    {
        var events = new ToldSeldom(_time);

        Assert.Equal(1, events.Count());
        Assert.All(Enumerable.Range(0, 99), _ => Assert.Equal(0, events.Count()));
        _time.Advance(ToldSeldom.Every - TimeSpan.FromSeconds(1));
        Assert.Equal(0, events.Count());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(101, events.Count());
        _time.Advance(ToldSeldom.Every);
        Assert.Equal(1, events.Count());
    }

    [Fact]
    public void Each_of_many_is_told_for_itself_and_of_more_than_a_thousand_a_minute_there_is_silence()
    {
        var events = new ToldSeldomOfEach<int>(_time);

        Assert.All(Enumerable.Range(0, 1000), key => Assert.Equal(1, events.Count(key)));
        Assert.Equal(0, events.Count(7));
        Assert.All(Enumerable.Range(1000, 1000), key => Assert.Equal(0, events.Count(key)));

        _time.Advance(ToldSeldom.Every);
        Assert.Equal(2, events.Count(7));
        Assert.Equal(1, events.Count(1000)); // the others' next line is due as well: they are forgotten
        Assert.Equal(0, events.Count(7));
    }
}

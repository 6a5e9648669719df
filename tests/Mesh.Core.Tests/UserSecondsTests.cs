using Xunit;

namespace Mesh.Core.Tests;

public sealed class UserSecondsTests
{
    [Theory]
    [Trait("Row", "S-F1")]
    [InlineData(0, 0)]
    [InlineData(-1, 0)]
    [InlineData(long.MinValue, 0)]
    [InlineData(59, 59)]
    [InlineData(60, 60)]
    [InlineData(int.MaxValue, 60)]
    [InlineData(long.MaxValue, 60)]
    public void Whatever_a_user_says_is_a_time_that_can_be_waited_for(long said, int seconds)
    {
        var minute = TimeSpan.FromMinutes(1);
        Assert.Equal(TimeSpan.FromSeconds(seconds), UserSeconds.AtMost(said, minute));
        Assert.Equal(TimeSpan.FromSeconds(seconds), UserSeconds.AtMost(TimeSpan.FromTicks(Math.Clamp(said, int.MinValue, int.MaxValue) * TimeSpan.TicksPerSecond), minute));
    }
}

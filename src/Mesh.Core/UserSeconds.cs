namespace Mesh.Core;

/// <summary>
/// Seconds that somebody else said, made a time that timers and dates can take: never below zero, and never above what the one
/// who waits can mean. Kubernetes takes up to 68 years of most of them, and a timer of .NET 49 days.
/// </summary>
public static class UserSeconds
{
    public static TimeSpan AtMost(long seconds, TimeSpan most) =>
        seconds <= 0 ? TimeSpan.Zero : seconds >= most.TotalSeconds ? most : TimeSpan.FromSeconds(seconds);

    public static TimeSpan AtMost(TimeSpan said, TimeSpan most) =>
        said < TimeSpan.Zero ? TimeSpan.Zero : said < most ? said : most;
}

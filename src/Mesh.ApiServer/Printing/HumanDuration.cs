using System.Globalization;

namespace Mesh.ApiServer.Printing;

/// <summary>Ages as kubectl shows them (apimachinery pkg/util/duration).</summary>
internal static class HumanDuration
{
    public const string Unknown = "<unknown>";

    public static string Since(DateTimeOffset? then, DateTimeOffset now) => then is { } start ? Format(now - start) : Unknown;

    public static string Format(TimeSpan age)
    {
        var seconds = (long)age.TotalSeconds;
        if (seconds < 0)
        {
            return seconds < -1 ? "<invalid>" : "0s";
        }

        var minutes = seconds / 60;
        var hours = minutes / 60;
        var days = hours / 24;
        return seconds switch
        {
            < 120 => Parts(seconds, "s", 0, ""),
            < 10 * 60 => Parts(minutes, "m", seconds % 60, "s"),
            < 3 * 3600 => Parts(minutes, "m", 0, ""),
            < 8 * 3600 => Parts(hours, "h", minutes % 60, "m"),
            < 48 * 3600 => Parts(hours, "h", 0, ""),
            < 8 * 86400 => Parts(days, "d", hours % 24, "h"),
            < 2L * 365 * 86400 => Parts(days, "d", 0, ""),
            < 8L * 365 * 86400 => Parts(days / 365, "y", days % 365, "d"),
            _ => Parts(days / 365, "y", 0, ""),
        };
    }

    private static string Parts(long first, string firstUnit, long second, string secondUnit) => second == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{first}{firstUnit}")
        : string.Create(CultureInfo.InvariantCulture, $"{first}{firstUnit}{second}{secondUnit}");
}

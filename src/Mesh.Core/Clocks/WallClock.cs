namespace Mesh.Core.Clocks;

/// <summary>
/// The wall clock, for what people read (times in documents, headers and lines) and for the validity of certificates. It is
/// set by hand and by NTP, and another machine has another: no duration is the difference of two of its readings.
/// </summary>
public static class WallClock
{
#pragma warning disable RS0030 // Banned everywhere else, so that whoever reads it does so by this name, which a test looks for.
    public static DateTimeOffset Now(TimeProvider time) => time.GetUtcNow();
#pragma warning restore RS0030
}

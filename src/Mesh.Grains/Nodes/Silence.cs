namespace Mesh.Grains.Nodes;

/// <summary>
/// How long nothing was heard, as far as this process was there to hear it: whatever time passed between two looks counts
/// as <see cref="MostBetweenLooks"/> at most. A process that was stopped, or a machine that slept, has heard nothing and
/// knows nothing; what was said meanwhile lies in a queue behind the look.
/// </summary>
internal sealed class Silence(TimeProvider time)
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>A look that comes somewhat late, as on a busy machine, still counts in full.</summary>
    public static readonly TimeSpan MostBetweenLooks = LookEvery * 2;

    private long _looked = time.GetTimestamp();

    /// <summary>As of the last look.</summary>
    public TimeSpan Length { get; private set; }

    public void Look()
    {
        var now = time.GetTimestamp();
        var passed = time.GetElapsedTime(_looked, now);
        Length += passed < MostBetweenLooks ? passed : MostBetweenLooks;
        _looked = now;
    }

    /// <summary>Something was heard.</summary>
    public void Break() => (Length, _looked) = (TimeSpan.Zero, time.GetTimestamp());
}

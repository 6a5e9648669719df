namespace Mesh.Core;

/// <summary>
/// Chance for a path that is taken thousands of times a second: from any thread, without a lock, an allocation or a system
/// call. It can be foreseen, so it chooses among equals and names nothing. (SplitMix64: Steele, Lea, Flood 2014.)
/// </summary>
public sealed class SplitMix(Random seed)
{
    private long _state = seed.NextInt64();

    /// <summary>A number from 0 to <paramref name="count"/> - 1, each as likely as the others.</summary>
    public int Next(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>All bits by chance; none comes twice before 2^64 were drawn.</summary>
    public ulong Next()
    {
        // Each state is visited once, so an atomic add is all the sharing that it needs.
        var z = (ulong)Interlocked.Add(ref _state, unchecked((long)0x9E3779B97F4A7C15));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

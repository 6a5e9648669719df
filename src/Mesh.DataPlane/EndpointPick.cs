using System.Collections.Immutable;
using Mesh.Core.Routing;

namespace Mesh.DataPlane;

/// <summary>
/// Picks one of many endpoints with equal chance, from any thread, without a lock or an allocation. The seed is an
/// argument; a shared <see cref="Random"/> would need a lock on each connection.
/// </summary>
public sealed class EndpointPick(Random seed)
{
    private long _state = seed.NextInt64();

    /// <summary>An index from 0 to <paramref name="count"/> - 1.</summary>
    public int Next(int count)
    {
        // SplitMix64 (Steele, Lea, Flood 2014): each state is visited once, so an atomic add is all the sharing it needs.
        var z = (ulong)Interlocked.Add(ref _state, unchecked((long)0x9E3779B97F4A7C15));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return (int)(Math.BigMul(z, (ulong)count, out _));
    }

    /// <summary>
    /// The order in which endpoints are tried: a random one first, then the ones after it, so that no endpoint is
    /// tried twice and a refusing one passes its share on.
    /// </summary>
    public EndpointOrder Order(ImmutableArray<Target> usable) =>
        new(usable, usable.IsEmpty ? 0 : Next(usable.Length));
}

/// <summary>One connection's or request's way through the endpoints; a value, so it costs no allocation.</summary>
public struct EndpointOrder(ImmutableArray<Target> usable, int first)
{
    private int _taken;

    /// <summary>The next endpoint that was not tried yet; null after the last.</summary>
    public Target? Next()
    {
        if (_taken >= usable.Length)
        {
            return null;
        }

        var index = first + _taken++;
        return usable[index < usable.Length ? index : index - usable.Length];
    }
}

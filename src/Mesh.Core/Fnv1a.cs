namespace Mesh.Core;

/// <summary>
/// FNV-1a, 64 bits: alike in every process, unlike <see cref="string.GetHashCode()"/>, and against accidents only, not against
/// somebody who looks for two equal ones.
/// </summary>
public struct Fnv1a
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public Fnv1a()
    {
    }

    /// <summary>Of all that was added, in its order.</summary>
    public ulong Value { get; private set; } = Offset;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
        {
            Value = (Value ^ one) * Prime;
        }
    }

    /// <summary>Each letter as one step, so it is not the hash of the text's bytes.</summary>
    public void Add(ReadOnlySpan<char> letters)
    {
        foreach (var one in letters)
        {
            Value = (Value ^ one) * Prime;
        }
    }
}

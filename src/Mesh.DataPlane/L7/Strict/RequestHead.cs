namespace Mesh.DataPlane.L7.Strict;

/// <summary>What the bytes after a request's head are.</summary>
internal enum BodyFraming
{
    None,
    Length,
    Chunked,
}

/// <summary>
/// What is known of the head at the front of the bytes: incomplete (<see cref="Length"/> 0), refused, or valid and
/// <see cref="Length"/> bytes long.
/// </summary>
/// <param name="Plain">The head as Kestrel shall read it, where it shall not read it as it came.</param>
internal readonly record struct RequestHead(int Length, BodyFraming Framing, long ContentLength, string? ConnectionOptions, byte[]? Plain, Refusal? Refusal)
{
    public static RequestHead Incomplete => default;

    public static RequestHead Refused(Refusal refusal) => new(0, BodyFraming.None, 0, null, null, refusal);
}

namespace Mesh.DataPlane.L7.Strict;

/// <summary>
/// Writes a head as its target in origin-form and its Host without an empty port. Kestrel would read an absolute-form target
/// as a .NET Uri, and refuse without a word whatever that spells another way than Host does: capitals, <c>:00080</c>,
/// <c>[0:0::1]</c>. The two were compared before (RFC 9112 §3.2.2), so the endpoint is sent Host as it came.
/// </summary>
internal static class PlainHead
{
    /// <param name="head">The whole head.</param>
    /// <param name="origin">The part of it that is scheme and authority of the target; empty when there is none.</param>
    /// <param name="emptyPort">The part of it that is the colon of an empty port; empty when there is none.</param>
    public static byte[] Of(ReadOnlySpan<byte> head, ReadOnlySpan<byte> origin, ReadOnlySpan<byte> emptyPort)
    {
        var from = OffsetOf(origin, head);
        var rest = from + origin.Length;
        var colon = emptyPort.IsEmpty ? head.Length : OffsetOf(emptyPort, head);
        var needsSlash = !origin.IsEmpty && head[rest] != '/';
        return [.. head[..from], .. needsSlash ? "/"u8 : default, .. head[rest..colon], .. head[Math.Min(colon + 1, head.Length)..]];
    }

    private static int OffsetOf(ReadOnlySpan<byte> part, ReadOnlySpan<byte> whole) => whole.Overlaps(part, out var offset) ? offset : 0;
}

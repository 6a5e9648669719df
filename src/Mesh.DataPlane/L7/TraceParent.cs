namespace Mesh.DataPlane.L7;

/// <summary>Reads a traceparent of a later version by the fields of version 00, which each later one keeps (W3C Trace Context §4.3).</summary>
internal static class TraceParent
{
    private const int Length = 55; // of version 00: version, trace id, parent id and flags

    /// <summary>As version 00 where it is of a later one; everything else as it came.</summary>
    public static string? Known(string? sent) =>
        sent is { Length: > Length } && sent[Length] == '-' && char.IsAsciiHexDigitLower(sent[0]) && char.IsAsciiHexDigitLower(sent[1]) && sent[..2] is not ("00" or "ff")
            ? $"00{sent[2..Length]}"
            : sent;
}

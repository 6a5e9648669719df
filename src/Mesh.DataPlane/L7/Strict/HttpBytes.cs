using System.Buffers;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>The character classes of RFC 9110 and RFC 9112, and comparisons without allocation.</summary>
internal static class HttpBytes
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>tchar (RFC 9110 §5.6.2).</summary>
    public static readonly SearchValues<byte> Token = Bytes(Alphanumeric + "!#$%&'*+-.^_`|~");

    /// <summary>HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5).</summary>
    public static readonly SearchValues<byte> FieldValue = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Where(c => c == '\t' || (c >= ' ' && c != 0x7f)).Select(c => (byte)c)]);

    /// <summary>VCHAR without the number sign, which no request target holds (RFC 9112 §3.2).</summary>
    public static readonly SearchValues<byte> Target = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x7f - 0x21).Where(c => c != '#').Select(c => (byte)c)]);

    /// <summary>
    /// What a host may be made of besides an IP literal: what host names and DNS names are. RFC 3986 §3.2.2 allows more in a
    /// URI; no rule can name such a host, and the parsers behind this one each refuse another part of it, without a word.
    /// </summary>
    public static readonly SearchValues<byte> HostName = Bytes(Alphanumeric + "-._");

    public static readonly SearchValues<byte> IPv6Literal = Bytes("0123456789abcdefABCDEF:.");

    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> value, ReadOnlySpan<byte> ascii) =>
        System.Text.Ascii.EqualsIgnoreCase(value, ascii);

    /// <summary>Without the optional white space around it (RFC 9110 §5.6.3).</summary>
    public static ReadOnlySpan<byte> TrimOws(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);

    private static SearchValues<byte> Bytes(string characters) => SearchValues.Create([.. characters.Select(c => (byte)c)]);
}

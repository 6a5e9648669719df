using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Mesh.Core.Names;

/// <summary>A block of IPv4 addresses, such as the Service CIDR: <c>127.96.0.0/16</c>.</summary>
public sealed record IPRange
{
    private readonly uint _first;

    private IPRange(uint first, int prefix)
    {
        _first = first;
        PrefixLength = prefix;
    }

    public int PrefixLength { get; }

    /// <summary>How many addresses, the network's own and the broadcast address included.</summary>
    public long Size => 1L << (32 - PrefixLength);

    /// <summary>Accepts CIDR notation whose address is the block's first.</summary>
    public static bool TryCreate(string? text, [NotNullWhen(true)] out IPRange? range)
    {
        range = null;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0
            || !AddressText.TryParse(text![..slash], out var address)
            || !AddressText.IsV4(address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
            || prefix > 32)
        {
            return false;
        }

        var candidate = new IPRange(NumberOf(address), prefix);
        range = (candidate._first & (candidate.Size - 1)) == 0 ? candidate : null;
        return range is not null;
    }

    /// <exception cref="FormatException">The text is no IPv4 block.</exception>
    public static IPRange Parse(string text) =>
        TryCreate(text, out var range) ? range : throw new FormatException($"'{text}' is not an IPv4 block in CIDR notation.");

    public bool Contains(IPAddress address) => IndexOf(address) is not null;

    /// <summary>The address's place in the block, null when it is outside.</summary>
    public long? IndexOf(IPAddress address)
    {
        var index = AddressText.IsV4(address) ? (long)NumberOf(address) - _first : -1;
        return index >= 0 && index < Size ? index : null;
    }

    public IPAddress this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(_first + index));
            return new IPAddress(bytes);
        }
    }

    public bool Overlaps(IPRange other) => Contains(other[0]) || other.Contains(this[0]);

    /// <summary>
    /// How many addresses at the start of the block are left for those who name one (KEP-3070): picked ones come from
    /// behind first. 0 for a block too small to divide.
    /// </summary>
    public long StaticBand => Size < 16 ? 0 : Math.Min(Math.Max(16, Size / 16), 256);

    public override string ToString() => $"{this[0]}/{PrefixLength}";

    private static uint NumberOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
    }
}

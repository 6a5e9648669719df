using System.Net;

namespace Mesh.Grains.Projections;

/// <summary>64 bits of a value's parts (FNV-1a): equal ones are taken for the same, so it is against accidents, not against somebody who looks for two.</summary>
internal struct Fingerprint
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;
    private const int LongestAddress = 16;

    public Fingerprint()
    {
    }

    public ulong Value { get; private set; } = Offset;

    public void Add(ulong part)
    {
        for (var left = 0; left < sizeof(ulong); left++, part >>= 8)
        {
            Value = (Value ^ (byte)part) * Prime;
        }
    }

    /// <summary>With its length, so that no two parts are one longer one.</summary>
    public void Add(string? text)
    {
        Add((ulong)(text?.Length ?? -1));
        foreach (var letter in text ?? "")
        {
            Value = (Value ^ letter) * Prime;
        }
    }

    public void Add(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[LongestAddress];
        var length = 0;
        address?.TryWriteBytes(bytes, out length);
        Add((ulong)length);
        foreach (var one in bytes[..length])
        {
            Value = (Value ^ one) * Prime;
        }
    }
}

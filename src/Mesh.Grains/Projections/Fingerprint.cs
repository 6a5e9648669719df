using System.Buffers.Binary;
using System.Net;
using Mesh.Core;

namespace Mesh.Grains.Projections;

/// <summary>64 bits of a value's parts: equal ones are taken for the same.</summary>
internal struct Fingerprint
{
    private const int LongestAddress = 16;

    private Fnv1a _parts = new();

    public Fingerprint()
    {
    }

    public readonly ulong Value => _parts.Value;

    public void Add(ulong part)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, part);
        _parts.Add(bytes);
    }

    /// <summary>With its length, so that no two parts are one longer one.</summary>
    public void Add(string? text)
    {
        Add((ulong)(text?.Length ?? -1));
        _parts.Add(text.AsSpan());
    }

    public void Add(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[LongestAddress];
        var length = 0;
        address?.TryWriteBytes(bytes, out length);
        Add((ulong)length);
        _parts.Add(bytes[..length]);
    }
}

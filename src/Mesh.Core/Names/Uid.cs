namespace Mesh.Core.Names;

/// <summary>Makes object identifiers (RFC 9562 version 4) from the randomness it is given.</summary>
public static class Uid
{
    public static string New(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes).ToString();
    }
}

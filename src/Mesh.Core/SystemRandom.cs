using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mesh.Core;

/// <summary>
/// The operating system's source of chance. Unlike <see cref="Random"/> it serves many threads at once, and what it draws
/// is drawn nowhere else: uids of two processes never meet.
/// </summary>
public sealed class SystemRandom : Random
{
    public override void NextBytes(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

    public override void NextBytes(byte[] buffer) => RandomNumberGenerator.Fill(buffer);

    public override int Next() => Next(int.MaxValue);

    public override int Next(int maxValue) => RandomNumberGenerator.GetInt32(maxValue);

    public override int Next(int minValue, int maxValue) => RandomNumberGenerator.GetInt32(minValue, maxValue);

    public override long NextInt64() => (long)(Bits() >> 1);

    public override double NextDouble() => Sample();

    protected override double Sample() => (Bits() >> 11) * (1.0 / (1UL << 53));

    private static ulong Bits()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace Mesh.Dns.Tests;

/// <summary>Makes query packets by hand, byte by byte, sharing nothing with the code under test.</summary>
internal static class Packet
{
    public const ushort Id = 0x2B5A;

    public static byte[] Query(string name, ushort type, ushort @class = 1, byte[]? opt = null, byte flags = 0x01)
    {
        var bytes = new List<byte> { Id >> 8, Id & 0xFF, flags, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(opt is null ? 0 : 1) };
        bytes.AddRange(Name(name));
        bytes.AddRange([(byte)(type >> 8), (byte)type, (byte)(@class >> 8), (byte)@class]);
        bytes.AddRange(opt ?? []);
        return [.. bytes];
    }

    public static byte[] Name(string name)
    {
        var bytes = new List<byte>();
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.Latin1.GetBytes(label));
        }

        bytes.Add(0);
        return [.. bytes];
    }

    public static byte[] Opt(ushort payload, byte version = 0, byte[]? options = null)
    {
        var length = options?.Length ?? 0;
        return [0, 0, 41, (byte)(payload >> 8), (byte)payload, 0, version, 0, 0, (byte)(length >> 8), (byte)length, .. options ?? []];
    }

    public static byte[] WithLength(byte[] message)
    {
        var framed = new byte[message.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)message.Length);
        message.CopyTo(framed, 2);
        return framed;
    }
}

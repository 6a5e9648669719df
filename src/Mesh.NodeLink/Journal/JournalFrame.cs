using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using Google.Protobuf;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.Journal;

/// <summary>One record on disk: its length, the checksum of its bytes, its bytes. Whatever is torn does not match, and is the end.</summary>
internal static class JournalFrame
{
    public const int HeaderSize = 8;

    public static void Write(IBufferWriter<byte> file, JournalRecord record)
    {
        var length = record.CalculateSize();
        var frame = file.GetSpan(HeaderSize + length);
        record.WriteTo(frame.Slice(HeaderSize, length));
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame.Slice(HeaderSize, length)));
        file.Advance(HeaderSize + length);
    }

    /// <summary>The record at the start of the bytes and its whole size, or null when there is none that is whole.</summary>
    public static JournalRecord? Read(ReadOnlyMemory<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < HeaderSize)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        if (length <= 0 || length > bytes.Length - HeaderSize)
        {
            return null;
        }

        var body = bytes.Slice(HeaderSize, length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[4..]) != Checksum(body.Span))
        {
            return null;
        }

        try
        {
            size = HeaderSize + length;
            return JournalRecord.Parser.ParseFrom(body.Span);
        }
        catch (InvalidProtocolBufferException)
        {
            size = 0;
            return null;
        }
    }

    // The length is part of it: zeros that a crash left behind are no record.
    private static uint Checksum(ReadOnlySpan<byte> body)
    {
        var crc = new Crc32();
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        crc.Append(length);
        crc.Append(body);
        return crc.GetCurrentHashAsUInt32();
    }
}

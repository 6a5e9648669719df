using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Mesh.DataPlane.L7.Tls;

/// <summary>
/// The first message of a TLS client, read before anything is allocated for the connection: whether it is one, whether it is
/// whole, and which name it asks for (RFC 8446 §4.1.2, RFC 6066 §3). It may lie in several records (RFC 8446 §5.1). Whether it
/// is right in everything else is for the TLS library to say.
/// </summary>
/// <param name="ServerName">Empty when none is asked for.</param>
internal readonly record struct ClientHello(ClientHelloState State, string ServerName)
{
    private const int RecordHeader = 5;
    private const int MessageHeader = 4;
    private const byte HandshakeRecord = 22;
    private const byte HelloMessage = 1;
    private const byte MajorVersion = 3;
    private const int BeforeSessionId = 2 + 32; // version and random
    private const int ServerNameExtension = 0;
    private const byte HostName = 0;
    private const int LongestName = 255;

    private static ClientHello Incomplete => new(ClientHelloState.Incomplete, "");

    private static ClientHello NotTls => new(ClientHelloState.NotTls, "");

    public static ClientHello Read(ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            return Read(bytes.FirstSpan);
        }

        var length = (int)bytes.Length; // bounded by who reads
        var copy = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.CopyTo(copy);
            return Read(copy.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static ClientHello Read(ReadOnlySpan<byte> bytes)
    {
        if ((bytes.Length > 0 && bytes[0] != HandshakeRecord) || (bytes.Length > 1 && bytes[1] != MajorVersion))
        {
            return NotTls;
        }

        if (bytes.Length < RecordHeader)
        {
            return Incomplete;
        }

        var first = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        var rest = bytes[RecordHeader..];
        if (rest.Length >= first && IsWhole(rest[..first], out var message))
        {
            return new ClientHello(ClientHelloState.Whole, NameIn(message)); // in one record, as nearly always
        }

        return ReadRecords(bytes);
    }

    /// <summary>Puts the parts of a message that lies in several records together.</summary>
    private static ClientHello ReadRecords(ReadOnlySpan<byte> bytes)
    {
        var joined = ArrayPool<byte>.Shared.Rent(bytes.Length);
        try
        {
            var length = 0;
            while (bytes.Length >= RecordHeader)
            {
                if (bytes[0] != HandshakeRecord)
                {
                    return NotTls;
                }

                var record = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
                var part = bytes[RecordHeader..Math.Min(bytes.Length, RecordHeader + record)];
                part.CopyTo(joined.AsSpan(length));
                length += part.Length;
                if (IsWhole(joined.AsSpan(0, length), out var message))
                {
                    return new ClientHello(ClientHelloState.Whole, NameIn(message));
                }

                bytes = bytes[(RecordHeader + part.Length)..];
            }

            return Incomplete;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }

    /// <summary>A message that is no ClientHello is whole as soon as that is known: the library refuses it.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> handshake, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (handshake.Length > 0 && handshake[0] != HelloMessage)
        {
            return true;
        }

        if (handshake.Length < MessageHeader)
        {
            return false;
        }

        var length = (handshake[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(handshake[2..]);
        var isWhole = handshake.Length >= MessageHeader + length;
        message = isWhole ? handshake.Slice(MessageHeader, length) : default;
        return isWhole;
    }

    /// <summary>Empty also for a message that is cut short or contradicts itself.</summary>
    private static string NameIn(ReadOnlySpan<byte> message)
    {
        if (message.Length < BeforeSessionId)
        {
            return "";
        }

        var rest = message[BeforeSessionId..];
        if (!TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out _) || !TryTake(ref rest, 1, out _) || !TryTake(ref rest, 2, out var extensions))
        {
            return "";
        }

        while (extensions.Length >= 4)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var extension))
            {
                return "";
            }

            if (type == ServerNameExtension)
            {
                return FirstName(extension);
            }
        }

        return "";
    }

    /// <summary>A list of names with their types, of which there is one type.</summary>
    private static string FirstName(ReadOnlySpan<byte> extension)
    {
        if (!TryTake(ref extension, 2, out var names) || names.Length == 0 || names[0] != HostName)
        {
            return "";
        }

        names = names[1..];
        return TryTake(ref names, 2, out var name) && name.Length <= LongestName ? Encoding.Latin1.GetString(name) : "";
    }

    /// <summary>Takes a vector: its length in so many bytes, and that many bytes.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < lengthBytes)
        {
            return false;
        }

        var length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < lengthBytes + length)
        {
            return false;
        }

        value = rest.Slice(lengthBytes, length);
        rest = rest[(lengthBytes + length)..];
        return true;
    }
}

internal enum ClientHelloState
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    Whole,

    /// <summary>Something else than TLS: plain HTTP, noise.</summary>
    NotTls,
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Mesh.Dns.Wire;

/// <summary>
/// Reads queries strictly (RFC 1035 §4, RFC 6891, RFC 9619): one question, no answers, no compression in the question,
/// at most one OPT. Reads each byte at most once, so its cost is bounded by the packet's length.
/// </summary>
public static class DnsQueryReader
{
    public const int HeaderLength = 12;

    private const int MaxNameLength = 255;
    private const int MaxLabelLength = 63;
    private const ushort Internet = 1;

    public static DnsQuery Read(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < HeaderLength || (packet[2] & 0x80) != 0)
        {
            return new DnsQuery.Drop();
        }

        var opcode = (packet[2] >> 3) & 0x0F;
        if (opcode != 0)
        {
            return new DnsQuery.Refuse(ResponseCode.NotImplemented, 0, null);
        }

        var questions = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        var records = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) + BinaryPrimitives.ReadUInt16BigEndian(packet[8..]);
        if (questions != 1 || records != 0)
        {
            return Malformed();
        }

        var at = HeaderLength;
        if (!TryReadName(packet, ref at, out var name) || at + 4 > packet.Length)
        {
            return Malformed();
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
        var @class = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..]);
        at += 4;
        return ReadAdditional(packet, at, BinaryPrimitives.ReadUInt16BigEndian(packet[10..])) switch
        {
            AdditionalSection.Malformed => new DnsQuery.Refuse(ResponseCode.FormatError, at, null),
            AdditionalSection.Read { Version: > 0 } read => new DnsQuery.Refuse(ResponseCode.BadVersion, at, read.Edns),
            AdditionalSection.Read read => Judge(name, type, @class, at, read.Edns),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static DnsQuery Judge(ImmutableArray<string> name, ushort type, ushort @class, int end, Edns? edns) => type switch
    {
        // OPT, TSIG, TKEY and 0 are never asked for.
        0 or 41 or 249 or 250 => new DnsQuery.Refuse(ResponseCode.FormatError, end, edns),
        // Zone transfers (RFC 5936) are not served.
        251 or 252 => new DnsQuery.Refuse(ResponseCode.Refused, end, edns),
        _ when @class != Internet => new DnsQuery.Refuse(ResponseCode.Refused, end, edns),
        _ => new DnsQuery.Question(name, type, end, edns),
    };

    private static DnsQuery.Refuse Malformed() => new(ResponseCode.FormatError, 0, null);

    private static bool TryReadName(ReadOnlySpan<byte> packet, ref int at, out ImmutableArray<string> name)
    {
        name = [];
        var labels = ImmutableArray.CreateBuilder<string>(6);
        for (var length = 1; at < packet.Length;)
        {
            var size = packet[at++];
            if (size == 0)
            {
                name = labels.ToImmutable();
                return true;
            }

            // Nothing stands before the question's name that a pointer (0xC0) could lead to; 0x40 and 0x80 are unassigned.
            length += size + 1;
            if (size > MaxLabelLength || length > MaxNameLength || at + size > packet.Length)
            {
                return false;
            }

            labels.Add(Encoding.Latin1.GetString(packet.Slice(at, size)));
            at += size;
        }

        return false;
    }

    private static AdditionalSection ReadAdditional(ReadOnlySpan<byte> packet, int at, int count)
    {
        AdditionalSection.Read? opt = null;
        for (var i = 0; i < count; i++)
        {
            var start = at;
            if (!TrySkipName(packet, ref at) || at + 10 > packet.Length)
            {
                return new AdditionalSection.Malformed();
            }

            var type = BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
            var size = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..]);
            var version = packet[at + 5];
            var wantsSecurity = (packet[at + 6] & 0x80) != 0;
            var length = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 8)..]);
            at += 10;
            if (at + length > packet.Length)
            {
                return new AdditionalSection.Malformed();
            }

            if (type == 41)
            {
                // One OPT only, owned by the root, with whole options (RFC 6891 §6.1).
                if (opt is not null || packet[start] != 0 || !AreOptions(packet.Slice(at, length)))
                {
                    return new AdditionalSection.Malformed();
                }

                opt = new AdditionalSection.Read(new Edns(size, wantsSecurity), version);
            }

            at += length;
        }

        return opt ?? new AdditionalSection.Read(null, 0);
    }

    private static bool TrySkipName(ReadOnlySpan<byte> packet, ref int at)
    {
        while (at < packet.Length)
        {
            var size = packet[at++];
            switch (size)
            {
                case 0:
                    return true;
                case >= 0xC0:
                    // A pointer ends a name; where it leads does not matter to a record that is not read.
                    at++;
                    return at <= packet.Length;
                case > MaxLabelLength:
                    return false;
                default:
                    at += size;
                    break;
            }
        }

        return false;
    }

    private static bool AreOptions(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            if (data.Length < 4 || BinaryPrimitives.ReadUInt16BigEndian(data[2..]) > data.Length - 4)
            {
                return false;
            }

            data = data[(4 + BinaryPrimitives.ReadUInt16BigEndian(data[2..]))..];
        }

        return true;
    }

    private abstract record AdditionalSection
    {
        public sealed record Malformed : AdditionalSection;

        public sealed record Read(Edns? Edns, int Version) : AdditionalSection;
    }
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Dns;

namespace Mesh.Dns.Wire;

/// <summary>
/// Writes one response into a buffer: the question is echoed byte for byte, later names are compressed against it
/// (RFC 1035 §4.1.4). A record that does not fit is not written, and the writer says so.
/// </summary>
public ref struct DnsResponseWriter
{
    private const int EdnsLength = 11;

    private readonly Span<byte> _buffer;
    private readonly ImmutableArray<string> _question;
    private readonly int _end;
    private readonly Edns? _edns;
    private int _at;

    /// <param name="buffer">As long as the response may be.</param>
    /// <param name="query">The packet that is answered.</param>
    /// <param name="questionEnd">0: no question could be read, none is echoed.</param>
    /// <param name="question">The question's name, for compression.</param>
    /// <param name="edns">The query's OPT; a response to it carries one.</param>
    public DnsResponseWriter(Span<byte> buffer, ReadOnlySpan<byte> query, int questionEnd, ImmutableArray<string> question, Edns? edns)
    {
        _buffer = buffer;
        _question = question;
        _edns = edns;
        _end = buffer.Length - (edns is null ? 0 : EdnsLength);
        _at = Math.Max(questionEnd, DnsQueryReader.HeaderLength);
        query[.._at].CopyTo(buffer);
        buffer[4..DnsQueryReader.HeaderLength].Clear();
        buffer[5] = (byte)(questionEnd > 0 ? 1 : 0);
    }

    /// <summary>False when it does not fit; the buffer is as before.</summary>
    public bool TryWrite(DnsRecord record, uint ttl, DnsSection section)
    {
        var start = _at;
        if (TryWriteName(record.Name) && TryWriteHeader(record.Type, ttl, out var lengthAt) && TryWriteData(record.Data, ttl))
        {
            BinaryPrimitives.WriteUInt16BigEndian(_buffer[lengthAt..], (ushort)(_at - lengthAt - 2));
            CountUp(section);
            return true;
        }

        _at = start;
        return false;
    }

    /// <summary>The answer to ANY: one HINFO that says nothing (RFC 8482 §4.2).</summary>
    public bool TryWriteMinimalAny(ImmutableArray<string> name, uint ttl)
    {
        var start = _at;
        if (TryWriteName(name) && TryWriteHeader((DnsRecordType)13, ttl, out var lengthAt) && TryWriteBytes("\u0007RFC8482\0"))
        {
            BinaryPrimitives.WriteUInt16BigEndian(_buffer[lengthAt..], (ushort)(_at - lengthAt - 2));
            CountUp(DnsSection.Answer);
            return true;
        }

        _at = start;
        return false;
    }

    /// <summary>Writes flags and OPT, and returns the length of the response.</summary>
    public int Finish(ResponseCode code, bool authoritative, bool truncated)
    {
        // QR, the query's opcode and RD; AA and TC; RA and AD stay 0: nothing is resolved for others or validated. CD and DO come
        // back as they were sent (RFC 4035 §3, though §3.1.6 would have who is authoritative clear CD; RFC 3225 §3).
        _buffer[2] = (byte)(0x80 | (_buffer[2] & 0x79) | (authoritative ? 0x04 : 0) | (truncated ? 0x02 : 0));
        _buffer[3] = (byte)((_buffer[3] & 0x10) | ((int)code & 0x0F));
        if (_edns is not null)
        {
            var opt = _buffer.Slice(_at, EdnsLength);
            opt.Clear();
            opt[2] = 41;
            BinaryPrimitives.WriteUInt16BigEndian(opt[3..], DnsResponder.MaxUdpPayload);
            opt[5] = (byte)((int)code >> 4);
            opt[7] = (byte)(_edns.WantsSecurity ? 0x80 : 0);
            CountUp(DnsSection.Additional);
            _at += EdnsLength;
        }

        return _at;
    }

    private readonly void CountUp(DnsSection section)
    {
        var count = _buffer[(int)section..];
        BinaryPrimitives.WriteUInt16BigEndian(count, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(count) + 1));
    }

    private bool TryWriteHeader(DnsRecordType type, uint ttl, out int lengthAt)
    {
        lengthAt = _at + 8;
        if (_at + 10 > _end)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_at..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[(_at + 2)..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[(_at + 4)..], ttl);
        _at += 10;
        return true;
    }

    private bool TryWriteData(DnsData data, uint ttl) => data switch
    {
        DnsData.Address address => TryWriteAddress(address),
        DnsData.Host host => TryWriteName(host.Name),
        DnsData.Service service => TryWriteUInt16(service.Priority) && TryWriteUInt16(service.Weight)
            && TryWriteUInt16(service.Port) && TryWriteName(service.Target, compress: false), // RFC 2782: no compression
        DnsData.Text text => TryWriteText(text.Value),
        DnsData.StartOfAuthority soa => TryWriteName(soa.Server) && TryWriteName(soa.Mailbox) && TryWriteUInt32(1)
            && TryWriteUInt32(7200) && TryWriteUInt32(1800) && TryWriteUInt32(86400) && TryWriteUInt32(ttl),
        _ => throw new UnreachableException(),
    };

    private bool TryWriteAddress(DnsData.Address address)
    {
        var length = address.Value.AddressFamily == AddressFamily.InterNetwork ? 4 : 16;
        if (_at + length > _end || !address.Value.TryWriteBytes(_buffer[_at..], out var written))
        {
            return false;
        }

        _at += written;
        return true;
    }

    private bool TryWriteText(string value) => value.Length <= 255 && TryWriteBytes((char)value.Length + value);

    private bool TryWriteBytes(string latin1)
    {
        if (_at + latin1.Length > _end)
        {
            return false;
        }

        _at += Encoding.Latin1.GetBytes(latin1, _buffer[_at..]);
        return true;
    }

    private bool TryWriteUInt16(int value)
    {
        if (_at + 2 > _end)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_at..], (ushort)value);
        _at += 2;
        return true;
    }

    private bool TryWriteUInt32(uint value)
    {
        if (_at + 4 > _end)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt32BigEndian(_buffer[_at..], value);
        _at += 4;
        return true;
    }

    private bool TryWriteName(ImmutableArray<string> name, bool compress = true)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (compress && QuestionOffset(name.AsSpan()[i..]) is { } offset)
            {
                return TryWriteUInt16(0xC000 | offset);
            }

            if (_at + 1 + name[i].Length > _end)
            {
                return false;
            }

            _buffer[_at++] = (byte)name[i].Length;
            _at += Encoding.Latin1.GetBytes(name[i], _buffer[_at..]);
        }

        return TryWriteBytes("\0");
    }

    /// <summary>Where the question's name ends in these labels, or null.</summary>
    private readonly int? QuestionOffset(ReadOnlySpan<string> suffix)
    {
        var skip = _question.Length - suffix.Length;
        if (skip < 0 || suffix.IsEmpty || _buffer[5] == 0)
        {
            return null;
        }

        var offset = DnsQueryReader.HeaderLength;
        for (var i = 0; i < _question.Length; i++)
        {
            if (i >= skip && !string.Equals(_question[i], suffix[i - skip], StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }

            offset += i < skip ? _question[i].Length + 1 : 0;
        }

        return offset;
    }
}

/// <summary>A section, by the offset of its count in the header.</summary>
public enum DnsSection
{
    Answer = 6,
    Authority = 8,
    Additional = 10,
}

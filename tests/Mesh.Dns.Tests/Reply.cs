using System.Buffers.Binary;
using System.Net;
using System.Text;
using Xunit;

namespace Mesh.Dns.Tests;

/// <summary>Reads a response by hand, and fails on anything malformed in it.</summary>
internal sealed class Reply
{
    private readonly byte[] _bytes;
    private int _at = 12;

    public Reply(byte[] bytes)
    {
        _bytes = bytes;
        Assert.True(bytes.Length >= 12, "shorter than a header");
        Assert.True((bytes[2] & 0x80) != 0, "not a response");
        var questions = UInt16(4);
        for (var i = 0; i < questions; i++)
        {
            Question = Name();
            QuestionType = UInt16(_at);
            _at += 4;
        }

        Answers = Section(UInt16(6));
        Authority = Section(UInt16(8));
        Additional = Section(UInt16(10));
        Assert.Equal(bytes.Length, _at);
    }

    public int Length => _bytes.Length;

    public int Id => UInt16(0);

    public int Code => (_bytes[3] & 0x0F) | (Additional.FirstOrDefault(record => record.Type == 41)?.ExtendedCode << 4 ?? 0);

    public int Opcode => (_bytes[2] >> 3) & 0x0F;

    public bool IsAuthoritative => (_bytes[2] & 0x04) != 0;

    public bool IsTruncated => (_bytes[2] & 0x02) != 0;

    public bool RecursionAvailable => (_bytes[3] & 0x80) != 0;

    public bool AuthenticData => (_bytes[3] & 0x20) != 0;

    public bool CheckingDisabled => (_bytes[3] & 0x10) != 0;

    public string? Question { get; }

    public int QuestionType { get; }

    public IReadOnlyList<Resource> Answers { get; }

    public IReadOnlyList<Resource> Authority { get; }

    public IReadOnlyList<Resource> Additional { get; }

    private List<Resource> Section(int count)
    {
        var records = new List<Resource>();
        for (var i = 0; i < count; i++)
        {
            var name = Name();
            var type = UInt16(_at);
            var @class = UInt16(_at + 2);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(_at + 4));
            var length = UInt16(_at + 8);
            _at += 10;
            var end = _at + length;
            var data = Data(type, end);
            Assert.Equal(end, _at);
            records.Add(new Resource(name, type, @class, ttl, data));
        }

        return records;
    }

    private string Data(int type, int end)
    {
        switch (type)
        {
            case 1 or 28:
                var address = new IPAddress(_bytes.AsSpan(_at, end - _at));
                _at = end;
                return address.ToString();
            case 2 or 5 or 12:
                return Name();
            case 6:
                var soa = $"{Name()} {Name()}";
                _at += 20;
                return soa;
            case 33:
                var (priority, weight, port) = (UInt16(_at), UInt16(_at + 2), UInt16(_at + 4));
                _at += 6;
                return $"{priority} {weight} {port} {Name()}";
            default:
                var text = Encoding.Latin1.GetString(_bytes, _at, end - _at);
                _at = end;
                return text;
        }
    }

    private string Name()
    {
        var labels = new List<string>();
        var returnTo = -1;
        for (var jumps = 0; ;)
        {
            var size = _bytes[_at++];
            if (size == 0)
            {
                break;
            }

            if (size >= 0xC0)
            {
                var target = ((size & 0x3F) << 8) | _bytes[_at++];
                Assert.True(target < _at - 2 && ++jumps < 10, "a pointer must lead backwards");
                returnTo = returnTo < 0 ? _at : returnTo;
                _at = target;
                continue;
            }

            labels.Add(Encoding.Latin1.GetString(_bytes, _at, size));
            _at += size;
        }

        _at = returnTo < 0 ? _at : returnTo;
        return string.Join('.', labels);
    }

    private int UInt16(int at) => BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(at));

    public sealed record Resource(string Name, int Type, int Class, uint Ttl, string Data)
    {
        public int ExtendedCode => (int)(Ttl >> 24);

        /// <summary>DO of an OPT.</summary>
        public bool WantsSecurity => (Ttl & 0x8000) != 0;

        public int Version => (int)(Ttl >> 16) & 0xFF;
    }
}

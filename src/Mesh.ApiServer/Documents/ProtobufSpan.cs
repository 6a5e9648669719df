namespace Mesh.ApiServer.Documents;

/// <summary>The fields of one protobuf message, one after the other (protobuf.dev/programming-guides/encoding).</summary>
internal ref struct ProtobufSpan(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> _rest = rest;
    private ReadOnlySpan<byte> _bytes;
    private bool _hasBytes;

    public int Field { get; private set; }

    /// <summary>The value of a number field.</summary>
    public ulong Number { get; private set; }

    /// <summary>The value of a string or message field.</summary>
    /// <exception cref="FormatException">The field has another wire type.</exception>
    public readonly ReadOnlySpan<byte> Bytes => _hasBytes ? _bytes : throw new FormatException($"field {Field} is of another type");

    /// <summary>False at the end of the message.</summary>
    /// <exception cref="FormatException">The message is cut or malformed.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        Field = (int)(tag >> 3);
        _hasBytes = (tag & 7) == 2;
        Number = 0;
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                _bytes = Take(Varint());
                break;
            case 5:
                Take(4);
                break;
            default:
                throw new FormatException("unknown wire type");
        }

        return true;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("a number has more than ten bytes");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
        {
            throw new FormatException("the message is cut");
        }

        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }
}

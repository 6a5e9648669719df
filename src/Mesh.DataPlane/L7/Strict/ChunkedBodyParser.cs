using Mesh.Core.Routing;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>
/// Follows a chunked body (RFC 9112 §7.1) byte by byte, wherever reads cut it: sizes of plain hexadecimal digits, CRLF
/// and nothing else at line ends, few extension and trailer bytes. Data is skipped, not looked at.
/// </summary>
internal struct ChunkedBodyParser(IngressOptions limits)
{
    // Enough for every signature scheme in use; without a limit each data byte may cost a thousand bytes of extension.
    private const int MaxExtensionBytes = 4 * 1024;
    private const int MaxSizeDigits = 16;

    private Step _step;
    private long _size;
    private int _digits;
    private int _extensionBytes;
    private int _trailerBytes;
    private int _trailers;
    private bool _inName;

    private enum Step
    {
        Size,
        Extension,
        SizeFeed,
        Data,
        DataReturn,
        DataFeed,
        TrailerStart,
        Trailer,
        TrailerFeed,
        LastFeed,
        Done,
    }

    public readonly bool IsDone => _step == Step.Done;

    /// <summary>Takes bytes until the body ends or they do; <paramref name="taken"/> tells how many belong to it.</summary>
    public Refusal? Read(ReadOnlySpan<byte> data, out int taken)
    {
        for (taken = 0; taken < data.Length && !IsDone;)
        {
            if (_step == Step.Data)
            {
                var skip = (int)Math.Min(_size, data.Length - taken);
                taken += skip;
                _size -= skip;
                _step = _size == 0 ? Step.DataReturn : Step.Data;
                continue;
            }

            if (Next(data[taken++]) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private Refusal? Next(byte value) => _step switch
    {
        Step.Size => ReadSize(value),
        Step.Extension => ReadExtension(value),
        Step.SizeFeed => Expect((byte)'\n', value, _size == 0 ? Step.TrailerStart : Step.Data),
        Step.DataReturn => Expect((byte)'\r', value, Step.DataFeed),
        Step.DataFeed => Expect((byte)'\n', value, Step.Size),
        Step.TrailerStart => StartTrailer(value),
        Step.Trailer => ReadTrailer(value),
        Step.TrailerFeed => Expect((byte)'\n', value, Step.TrailerStart),
        Step.LastFeed => Expect((byte)'\n', value, Step.Done),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private Refusal? Expect(byte wanted, byte value, Step next)
    {
        if (value != wanted)
        {
            return Refusal.Malformed("a line of the chunked body does not end in CRLF where it must");
        }

        _step = next;
        return null;
    }

    private Refusal? ReadSize(byte value)
    {
        if (char.IsAsciiHexDigit((char)value))
        {
            _size = (_size << 4) | (uint)Digit(value);
            return ++_digits > MaxSizeDigits || _size > int.MaxValue ? Refusal.Malformed("a chunk size is too large") : null;
        }

        if (_digits == 0 || (value != '\r' && value != ';'))
        {
            return Refusal.Malformed("a chunk size is not a plain hexadecimal number");
        }

        _digits = 0;
        _step = value == '\r' ? Step.SizeFeed : Step.Extension;
        return null;
    }

    private static int Digit(byte hex) => hex <= '9' ? hex - '0' : (hex | 0x20) - 'a' + 10;

    private Refusal? ReadExtension(byte value)
    {
        if (value == '\r')
        {
            _step = Step.SizeFeed;
            return null;
        }

        if (!HttpBytes.FieldValue.Contains(value))
        {
            return Refusal.Malformed("a chunk extension has a control character");
        }

        return ++_extensionBytes > MaxExtensionBytes ? Refusal.Malformed("the chunk extensions are too large") : null;
    }

    private Refusal? StartTrailer(byte value)
    {
        if (value == '\r')
        {
            _step = Step.LastFeed;
            return null;
        }

        if (++_trailers > limits.MaxHeaders)
        {
            return Refusal.Of(RefusalReason.HeadersTooLarge, $"there are more than {limits.MaxHeaders} trailer lines");
        }

        _inName = true;
        _step = Step.Trailer;
        return HttpBytes.Token.Contains(value) ? null : Refusal.Malformed("a trailer line does not begin with a field name");
    }

    private Refusal? ReadTrailer(byte value)
    {
        if (++_trailerBytes > limits.MaxHeaderBytes)
        {
            return Refusal.Of(RefusalReason.HeadersTooLarge, $"the trailers are larger than {limits.MaxHeaderBytes} bytes");
        }

        if (_inName)
        {
            _inName = value != ':';
            return !_inName || HttpBytes.Token.Contains(value) ? null : Refusal.Malformed("a trailer line does not begin with a field name and a colon");
        }

        if (value == '\r')
        {
            _step = Step.TrailerFeed;
            return null;
        }

        return HttpBytes.FieldValue.Contains(value) ? null : Refusal.Malformed("a trailer value has a control character");
    }
}

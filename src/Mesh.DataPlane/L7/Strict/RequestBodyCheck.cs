using System.Buffers;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>Follows the body of one request after another: where it ends, the next head begins.</summary>
internal sealed class RequestBodyCheck(IngressOptions options)
{
    private BodyFraming _framing;
    private long _left;
    private ChunkedBodyParser _chunks;

    public bool IsDone { get; private set; } = true;

    public void Begin(RequestHead head)
    {
        _framing = head.Framing;
        _left = head.ContentLength;
        _chunks = new ChunkedBodyParser(options);
        IsDone = _framing == BodyFraming.None;
    }

    /// <summary>Adds to <paramref name="valid"/> how many of <paramref name="bytes"/> belong to the body.</summary>
    public Refusal? Check(ReadOnlySequence<byte> bytes, ref long valid)
    {
        if (_framing == BodyFraming.Length)
        {
            var take = Math.Min(_left, bytes.Length);
            valid += take;
            _left -= take;
            IsDone = _left == 0;
            return null;
        }

        foreach (var segment in bytes)
        {
            var refusal = _chunks.Read(segment.Span, out var taken);
            if (refusal is not null)
            {
                return refusal;
            }

            valid += taken;
            IsDone = _chunks.IsDone;
            if (IsDone)
            {
                break;
            }
        }

        return null;
    }
}

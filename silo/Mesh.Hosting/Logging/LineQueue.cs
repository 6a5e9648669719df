using System.Threading.Channels;

namespace Mesh.Hosting.Logging;

/// <summary>
/// Lines that wait to be written, as bytes one after another: those that add copy and go, and the one that writes takes
/// all at once. Full, it refuses lines and counts them.
/// </summary>
internal sealed class LineQueue(int capacity)
{
    private const int FirstLength = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Channel<bool> _filled = Channel.CreateBounded<bool>(1); // holds one word while there are lines
    private byte[] _filling = new byte[Math.Min(FirstLength, capacity)];
    private byte[] _spare = [];
    private int _length;
    private long _refused;

    public void Add(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            if (line.Length > capacity - _length)
            {
                _refused++;
                return;
            }

            if (line.Length > _filling.Length - _length)
            {
                Array.Resize(ref _filling, Math.Min(capacity, Math.Max(2 * _filling.Length, _length + line.Length)));
            }

            line.CopyTo(_filling.AsSpan(_length));
            _length += line.Length;
            if (_length != line.Length)
            {
                return; // whoever added the first line has told it
            }
        }

        _filled.Writer.TryWrite(true);
    }

    /// <summary>Completes when there are lines to take.</summary>
    public async ValueTask FilledAsync(CancellationToken stop) => await _filled.Reader.ReadAsync(stop);

    /// <summary>All lines that wait, valid until the next call, and how many were refused since the last one.</summary>
    public ReadOnlySpan<byte> Take(out long refused)
    {
        lock (_gate)
        {
            var taken = _filling;
            var length = _length;
            refused = _refused;
            _filling = _spare.Length > 0 ? _spare : new byte[taken.Length];
            _spare = taken;
            _length = 0;
            _refused = 0;
            return taken.AsSpan(0, length);
        }
    }
}

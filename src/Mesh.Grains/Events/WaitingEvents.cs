using System.Threading.Channels;

namespace Mesh.Grains.Events;

/// <summary>What waits to be written as Events: each once, however often it happens meanwhile. Any thread adds, one takes.</summary>
internal sealed class WaitingEvents(int most)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Occurrence, Times> _times = [];
    private readonly Queue<Occurrence> _order = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>False when too many others wait: then it is dropped.</summary>
    public bool TryAdd(Occurrence occurrence, Times times)
    {
        lock (_lock)
        {
            if (_times.TryGetValue(occurrence, out var known))
            {
                _times[occurrence] = new Times(known.Count + times.Count, known.First < times.First ? known.First : times.First, known.Last > times.Last ? known.Last : times.Last);
                return true;
            }

            if (_times.Count >= most)
            {
                return false;
            }

            _times[occurrence] = times;
            _order.Enqueue(occurrence);
        }

        _wake.Writer.TryWrite(true);
        return true;
    }

    /// <summary>The one that has waited longest, once there is any.</summary>
    public async ValueTask<(Occurrence Occurrence, Times Times)> TakeAsync(CancellationToken stop)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_order.TryDequeue(out var occurrence))
                {
                    _times.Remove(occurrence, out var times);
                    return (occurrence, times);
                }
            }

            await _wake.Reader.ReadAsync(stop);
        }
    }
}

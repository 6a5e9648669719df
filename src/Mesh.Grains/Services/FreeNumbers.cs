namespace Mesh.Grains.Services;

/// <summary>
/// Suggests free numbers, from 0 below a size, by a map in memory. Only a hint: the commit of the row that takes a number
/// decides. For many grains at once.
/// </summary>
/// <param name="band">How many numbers at the start are left to those who ask for one (KEP-3070, KEP-3668).</param>
/// <param name="taken">What others hold; asked at the first look (true), and again when little is left.</param>
internal sealed class FreeNumbers(int size, int band, TimeProvider time, Random random, Func<bool, IEnumerable<int>> taken)
{
    private readonly Lock _lock = new();
    private readonly State[] _states = new State[size];
    private long? _lookedAt;
    private long _agedAt;

    /// <summary>How often what others hold is looked at while those above the band are all taken.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>A number that is about to be committed is left to its writer until the second look that is so long after the one before it.</summary>
    public static readonly TimeSpan MarkedFor = TimeSpan.FromSeconds(5);

    private enum State : byte
    {
        Free,
        Held,
        Marked,
        MarkedBefore,
    }

    private bool IsLookDue => _lookedAt is not { } since || time.GetElapsedTime(since) >= LookEvery;

    /// <summary>A free number, or null when all are taken.</summary>
    /// <param name="keep">Marked at once, so that those who run side by side do not try the same one.</param>
    public int? Suggest(bool keep, Func<int, bool>? isOut = null)
    {
        lock (_lock)
        {
            var hasLooked = false;
            var found = _lookedAt is null ? null : Find(band, size, State.Free, isOut);
            if (found is null && IsLookDue)
            {
                hasLooked = Look(); // what was released; only then those that are left to who asks for one
                found = Find(band, size, State.Free, isOut);
            }

            found ??= Find(0, band, State.Free, isOut);
            if (found is null)
            {
                // Before it is said that all are taken: as it is now, and with those whose writers may have been refused.
                _ = hasLooked || Look();
                found = Find(band, size, State.Free, isOut) ?? Find(0, band, State.Free, isOut)
                    ?? Find(0, size, State.MarkedBefore, isOut) ?? Find(0, size, State.Marked, isOut);
            }

            if (keep && found is { } number)
            {
                _states[number] = State.Marked;
            }

            return found;
        }
    }

    public void MarkUsed(int number)
    {
        lock (_lock)
        {
            _states[number] = State.Marked;
        }
    }

    private int? Find(int from, int to, State state, Func<int, bool>? isOut)
    {
        var count = to - from;
        var start = count > 0 ? random.Next(count) : 0;
        for (var i = 0; i < count; i++)
        {
            var number = from + ((start + i) % count);
            if (_states[number] == state && isOut?.Invoke(number) != true)
            {
                return number;
            }
        }

        return null;
    }

    /// <summary>Marks stay: whoever was given a number may be about to commit it.</summary>
    private bool Look()
    {
        var isFirst = _lookedAt is null;
        var isAging = isFirst || time.GetElapsedTime(_agedAt) >= MarkedFor;
        for (var number = 0; number < size; number++)
        {
            _states[number] = _states[number] switch
            {
                State.Marked when isAging => State.MarkedBefore,
                State.MarkedBefore when isAging => State.Free,
                State.Held => State.Free,
                var marked => marked,
            };
        }

        foreach (var number in taken(isFirst))
        {
            _states[number] = State.Held;
        }

        _lookedAt = time.GetTimestamp();
        _agedAt = isAging ? _lookedAt.Value : _agedAt;
        return true;
    }
}

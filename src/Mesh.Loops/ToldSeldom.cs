namespace Mesh.Loops;

/// <summary>
/// Which of many like events the log tells: the first, and then at most one a minute, with how many there were since the last line.
/// All of them are in a counter. For any thread.
/// </summary>
public sealed class ToldSeldom(TimeProvider time)
{
    /// <summary>Between two lines.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _told;
    private int _untold;

    /// <summary>Nothing was told for so long that the next event is told.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
            {
                return _told is not { } told || time.GetElapsedTime(told) >= Every;
            }
        }
    }

    /// <summary>Of an event that has just been: how many a line is to tell of now, this one among them; 0 when none is to be written.</summary>
    public int Count()
    {
        lock (_gate)
        {
            _untold++;
            if (_told is { } told && time.GetElapsedTime(told) < Every)
            {
                return 0;
            }

            var untold = _untold;
            (_told, _untold) = (time.GetTimestamp(), 0);
            return untold;
        }
    }
}

namespace Mesh.Loops;

/// <summary>The ends of all loops of one name: which of them the log tells.</summary>
internal sealed class LoopEnds
{
    private long? _told;
    private int _untold;

    /// <summary>How many ends a line is to tell now; 0 when one was written a moment ago.</summary>
    public int Count(TimeProvider time)
    {
        _untold++;
        if (_told is { } told && time.GetElapsedTime(told) < ProcessLoops.ToldEvery)
        {
            return 0;
        }

        var untold = _untold;
        (_told, _untold) = (time.GetTimestamp(), 0);
        return untold;
    }
}

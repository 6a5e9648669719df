namespace Mesh.Loops;

/// <summary>
/// One loop that runs: how often it ended in a row, and since when it runs or is down. From its first end on under the lock of
/// <see cref="ProcessLoops"/>.
/// </summary>
internal sealed class LoopRun(string name)
{
    /// <summary>A loop that ran for so long is well again: its next end is a first one.</summary>
    internal static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private TimeSpan _pause = FirstPause;
    private string _cause = "";
    private long _since;
    private int _inARow;
    private bool _isDown;

    public string Name => name;

    /// <summary>Its return means that nothing is left to do.</summary>
    public bool MayReturn { get; init; }

    public bool HasEnded => _inARow > 0;

    /// <summary>Down, or ended twice and more without having run for <see cref="Settled"/>.</summary>
    public bool IsInTrouble => _isDown || _inARow > 1;

    /// <summary>What <c>/readyz</c> says after its name.</summary>
    public string Trouble => _inARow > 1 ? $"keeps failing ({_inARow} times in a row, {_cause})" : $"is down ({_cause})";

    public void Begin(TimeProvider time)
    {
        _since = time.GetTimestamp();
        _isDown = false;
    }

    /// <summary>How long it is to be down.</summary>
    public TimeSpan End(TimeProvider time, Exception? failure)
    {
        var isFirst = _inARow == 0 || time.GetElapsedTime(_since) >= Settled;
        _inARow = isFirst ? 1 : _inARow + 1;
        _pause = isFirst ? FirstPause : _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        _cause = failure?.GetType().Name ?? "it returned";
        _isDown = true;
        return _pause;
    }

    public bool IsSettled(TimeProvider time) => !_isDown && time.GetElapsedTime(_since) >= Settled;

    public static string Why(Exception? failure) => failure is null ? "it returned" : $"{failure.GetType().Name}: {failure.Message}";
}

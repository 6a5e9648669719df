namespace Mesh.Client;

/// <summary>
/// How long to wait before a stream is tried again. Only one that was open for a while begins anew with short waits: one that the
/// silo refuses soon after its node took it would otherwise be tried several times a second for ever.
/// </summary>
internal sealed class RetryDelay(Random random)
{
    public static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);

    /// <summary>A restarted node waits ten seconds for its Pods' streams to come back.</summary>
    public static readonly TimeSpan LastOfPod = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Last = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(30);

    private TimeSpan _delay = First;

    public static TimeSpan Doubled(TimeSpan delay, TimeSpan last) => delay * 2 < last ? delay * 2 : last;

    /// <param name="isRefused">Asked again it would most likely be refused again.</param>
    /// <param name="wasOpen">How long the stream was open.</param>
    /// <param name="hasPod">The Pod lives on at the node, as far as is known.</param>
    public TimeSpan Next(bool isRefused, TimeSpan wasOpen, bool hasPod)
    {
        var last = hasPod ? LastOfPod : Last;
        var delay = isRefused ? Last : wasOpen >= Steady ? First : _delay < last ? _delay : last;
        _delay = Doubled(delay, last);

        // Full jitter: a machine's processes do not come back in step.
        return delay * random.NextDouble();
    }
}

using System.Net.Sockets;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>Waits, before anything is measured, for what was asked for to be there.</summary>
internal static class Reached
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>When what is measured needs the machine to be quiet, or busy, for a while.</summary>
    public static async Task AfterAsync(TimeSpan time, CancellationToken stop)
    {
        using var once = new PeriodicTimer(time);
        await once.WaitForNextTickAsync(stop);
    }

    public static async Task WhenAsync(string what, Func<bool> isReached, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        using var tick = new PeriodicTimer(LookEvery);
        var last = "it was not so yet";
        try
        {
            while (true)
            {
                try
                {
                    if (isReached())
                    {
                        return;
                    }
                }
                catch (Exception notYet) when (notYet is SocketException or InvalidOperationException or HttpRequestException)
                {
                    last = notYet.Message;
                }

                await tick.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new InvalidOperationException($"{what}: not within {Limit.TotalSeconds} s; {last}");
        }
    }
}

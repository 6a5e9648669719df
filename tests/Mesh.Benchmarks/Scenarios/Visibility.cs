using System.Diagnostics;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>Asks the node's DNS server until its snapshot shows what is awaited.</summary>
internal static class Visibility
{
    private const int PauseMicroseconds = 20;

    /// <summary>Milliseconds from the event to the first question whose answer shows it.</summary>
    public static double Wait(DnsLoad asker, Func<int, bool> isShown, long eventAt, TimeSpan limit)
    {
        while (true)
        {
            if (isShown(asker.Ask()))
            {
                return Stopwatch.GetElapsedTime(eventAt).TotalMilliseconds;
            }

            if (Stopwatch.GetElapsedTime(eventAt) > limit)
            {
                throw new InvalidOperationException($"A change was not in the node's snapshot after {limit.TotalSeconds} s.");
            }

            Pause.Microseconds(PauseMicroseconds);
        }
    }
}

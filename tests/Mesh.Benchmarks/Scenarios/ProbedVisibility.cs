using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Mesh.Benchmarks.Load;
using Mesh.Benchmarks.Measuring;

namespace Mesh.Benchmarks.Scenarios;

/// <summary>
/// A manifest Pod's readiness, followed: from the moment its backend answers the probe otherwise than before, to the
/// node's snapshot showing it. Agent → PodGrain → registry → Service → gateway → node, without any commit on the way.
/// </summary>
internal sealed class ProbedVisibility(ReadinessChanges watched) : IDisposable
{
    private const int Samples = 300;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    // One event in measurement and few waiting: a sample that would begin late is not taken at all.
    private readonly BlockingCollection<(string Path, bool IsReady, long At)> _events = new(boundedCapacity: 1);
    private volatile bool _isMeasuring;

    public static string Service(int pod) => $"watched-{pod}";

    /// <summary>The answer to a probe; called by the backend just before it is sent.</summary>
    public bool Answer(string path)
    {
        var isReady = watched.Answer(path);
        if (_isMeasuring)
        {
            _events.TryAdd((path, isReady, Stopwatch.GetTimestamp()));
        }

        return isReady;
    }

    public async Task<Sample> MeasureAsync(IPEndPoint dns, CancellationToken stop) => await Task.Factory.StartNew(
        () => Measure(dns, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Dispose() => _events.Dispose();

    private Sample Measure(IPEndPoint dns, CancellationToken stop)
    {
        var sample = new Sample();
        _isMeasuring = true;
        while (sample.Count < Samples)
        {
            var (path, isReady, at) = _events.Take(stop);
            // Waited behind another: its beginning was missed.
            if (Stopwatch.GetElapsedTime(at).TotalMilliseconds > 0.5)
            {
                continue;
            }

            using var asker = new DnsLoad(dns, $"{Service(int.Parse(path.AsSpan(path.LastIndexOf('/') + 1), System.Globalization.CultureInfo.InvariantCulture))}.default.svc.cluster.local");
            sample.Add(Visibility.Wait(asker, answers => answers > 0 == isReady, at, Limit));
        }

        _isMeasuring = false;
        return sample;
    }
}

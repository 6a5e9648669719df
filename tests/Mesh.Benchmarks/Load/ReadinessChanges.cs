using System.Diagnostics;

namespace Mesh.Benchmarks.Load;

/// <summary>
/// Pods whose readiness turns with every probe: their backend answers 200 and 503 in turns, and each is probed once a
/// second, so that N of them are N changes a second, through the whole chain of grains.
/// </summary>
internal sealed class ReadinessChanges
{
    private readonly bool[] _isReady;
    private readonly string _prefix;
    private long _changes;

    public ReadinessChanges(int pods, string prefix)
    {
        _isReady = new bool[pods];
        _prefix = prefix;
    }

    /// <summary>So far.</summary>
    public long Count => Interlocked.Read(ref _changes);

    public string Path(int pod) => $"{_prefix}{pod}";

    public bool Owns(string path) => path.StartsWith(_prefix, StringComparison.Ordinal);

    /// <summary>The next answer of a Pod.</summary>
    public bool Answer(string path)
    {
        var pod = int.Parse(path.AsSpan(_prefix.Length), System.Globalization.CultureInfo.InvariantCulture);
        Interlocked.Increment(ref _changes);
        return _isReady[pod] = !_isReady[pod];
    }

    /// <summary>Counts from now on.</summary>
    public Func<double> Rate()
    {
        var began = Stopwatch.GetTimestamp();
        var before = Interlocked.Read(ref _changes);
        return () => (Interlocked.Read(ref _changes) - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}

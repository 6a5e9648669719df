namespace Mesh.Benchmarks.Measuring;

/// <summary>Measured values and their order statistics; never a mean, which one pause of a shared machine decides.</summary>
internal sealed class Sample
{
    private readonly List<double> _values = [];
    private readonly Lock _gate = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _values.Count;
            }
        }
    }

    public void Add(double value)
    {
        lock (_gate)
        {
            _values.Add(value);
        }
    }

    public double Median => Percentile(50);

    /// <summary>Nearest rank; NaN when nothing was measured.</summary>
    public double Percentile(double percent)
    {
        lock (_gate)
        {
            if (_values.Count == 0)
            {
                return double.NaN;
            }

            var ordered = _values.Order().ToArray();
            return ordered[Math.Clamp((int)Math.Ceiling(percent / 100 * ordered.Length) - 1, 0, ordered.Length - 1)];
        }
    }
}

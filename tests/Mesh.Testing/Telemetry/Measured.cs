using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Threading.Channels;

namespace Mesh.Testing.Telemetry;

/// <summary>Everything that one meter of this process measures, from now on. For tests that run alone: a meter is the process's.</summary>
public sealed class Measured : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, string Tags)> _seen = [];
    private readonly Channel<bool> _more = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public Measured(string meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>What an instrument measured, with the attributes in the order of their names.</summary>
    public double Sum(string name, string tags = "") => _seen.Where(seen => seen.Name == name && seen.Tags == tags).Sum(seen => seen.Value);

    /// <summary>The attributes of each measurement of an instrument, in order.</summary>
    public string[] Tags(string name) => [.. _seen.Where(seen => seen.Name == name).Select(seen => seen.Tags)];

    /// <summary>Waits until the instrument has measured so often, since what is counted is counted after it was seen.</summary>
    public async Task UntilAsync(string name, int times, CancellationToken stop)
    {
        while (Tags(name).Length < times)
        {
            await _more.Reader.ReadAsync(stop);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = string.Join(' ', tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"));
        _seen.Enqueue((instrument.Name, value, text));
        _more.Writer.TryWrite(true);
    }
}

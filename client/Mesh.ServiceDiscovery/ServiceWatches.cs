using Mesh.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.ServiceDiscovery;

/// <summary>
/// The watches of this process: one a Service, whatever the number of clients, schemes and ports it is called by. It lingers
/// after its last user, who is often back soon.
/// </summary>
internal sealed class ServiceWatches : IAsyncDisposable
{
    /// <summary>Who is called every minute or so finds the last word still there.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromMinutes(2);

    /// <summary>Names that a process calls and may be Services: more are a crawler's, and go to DNS unasked.</summary>
    public const int MostNames = 4_096;

    private readonly Lock _gate = new();
    private readonly Dictionary<MeshServiceName, Entry> _entries = [];
    private readonly HashSet<Task> _ending = [];
    private readonly HashSet<MeshServiceName> _toldMissing = [];
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lazy<WatchSource> _source;
    private bool _isFull;
    private bool _isDisposed;

    /// <param name="random">Of this object alone.</param>
    public ServiceWatches(IOptions<MeshOptions> options, TimeProvider time, Random random, ILogger<ServiceWatches> log)
    {
        (_time, _log) = (time, log);
        _source = new Lazy<WatchSource>(() => new WatchSource(EndpointOf(options.Value), options.Value.NodeUrl, time, random, log));
    }

    /// <summary>How many Services are followed.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    public WatchSource Source => _source.Value;

    /// <summary>To be given back with <see cref="Release"/>. Null when this process calls too many names.</summary>
    public ServiceWatch? Acquire(MeshServiceName name)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_entries.TryGetValue(name, out var entry))
            {
                if (_entries.Count >= MostNames)
                {
                    Refuse(name);
                    return null;
                }

                _entries[name] = entry = new Entry(ServiceWatch.Begin(Source, name));
            }

            entry.Users++;
            entry.Lingering?.Dispose();
            entry.Lingering = null;
            return entry.Watch;
        }
    }

    public void Release(ServiceWatch watch)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(watch.Name, out var entry) || --entry.Users > 0)
            {
                return;
            }

            if (watch.Word is ServiceWord.Missing)
            {
                // No Service's: most of them are names of hosts elsewhere.
                End(watch.Name);
                return;
            }

            entry.Lingering = _time.CreateTimer(_ => End(watch.Name), null, Linger, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Says once of a name that no Service has it: if no host has it either, all that its caller sees is that it is not known.
    /// Of more names than may be called, of none.
    /// </summary>
    public void TellMissing(MeshServiceName name, string why)
    {
        lock (_gate)
        {
            if (_toldMissing.Count >= MostNames || !_toldMissing.Add(name))
            {
                return;
            }
        }

        _log.LeftToDns(why);
    }

    public async ValueTask DisposeAsync()
    {
        List<Task> ending;
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var entry in _entries.Values)
            {
                entry.Lingering?.Dispose();
                _ending.Add(entry.Watch.DisposeAsync().AsTask());
            }

            _entries.Clear();
            ending = [.. _ending];
        }

        await Task.WhenAll(ending);
        if (_source.IsValueCreated)
        {
            Source.Dispose();
        }
    }

    private void End(MeshServiceName name)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(name, out var entry) && entry.Users == 0)
            {
                _entries.Remove(name);
                entry.Lingering?.Dispose();
                _ending.RemoveWhere(task => task.IsCompleted);
                _ending.Add(entry.Watch.DisposeAsync().AsTask());
            }
        }
    }

    private void Refuse(MeshServiceName name)
    {
        if (!_isFull)
        {
            _isFull = true;
            _log.TooMany(MostNames, name.ToString());
        }
    }

    /// <summary>In a host with AddMesh they were checked before it started.</summary>
    private static NodeEndpoint EndpointOf(MeshOptions options) => options.Problems().Any() || !NodeEndpoint.TryParse(options.NodeUrl, out var endpoint)
        ? throw new InvalidOperationException($"Services cannot be called by name: {string.Join(" ", options.Problems())}")
        : endpoint;

    private sealed class Entry(ServiceWatch watch)
    {
        public ServiceWatch Watch => watch;

        public int Users { get; set; }

        /// <summary>Runs while nobody uses it.</summary>
        public ITimer? Lingering { get; set; }
    }
}

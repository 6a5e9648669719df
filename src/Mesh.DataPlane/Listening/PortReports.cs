using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Mesh.Core.Names;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Listening;

/// <summary>
/// Tells of ports that cannot be listened on, beside the loop that listens: who holds them is looked up for all that wait
/// at once, and no more than a few times a second, since one look walks the descriptors of every process.
/// </summary>
/// <param name="name">What listens, as the log calls it where it is no Service.</param>
internal sealed class PortReports(string name, IPortProblems problems, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly Dictionary<(NamespacedName? Service, IPEndPoint Address), Report> _open = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private Task _telling = Task.CompletedTask;

    public void Start() => _telling = TellAsync(_stop.Token);

    /// <summary>Returns at once.</summary>
    public void Failed(NamespacedName? service, IPEndPoint address, SocketException error)
    {
        lock (_gate)
        {
            _open[(service, address)] = new Report(error);
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>The port is listened on, or no longer wanted: what was not told yet never is.</summary>
    public void Solved(NamespacedName? service, IPEndPoint address)
    {
        lock (_gate)
        {
            if (_open.Remove((service, address), out var report) && report.IsTold)
            {
                problems.Solved(service, address);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _telling;
        _stop.Dispose();
    }

    private async Task TellAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await _signal.Reader.ReadAsync(stop);
                await Task.Yield(); // the first look, too, is not the caller's
                Tell();
                await Task.Delay(Pause, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private void Tell()
    {
        ImmutableArray<KeyValuePair<(NamespacedName? Service, IPEndPoint Address), Report>> waiting;
        lock (_gate)
        {
            waiting = [.. _open.Where(entry => !entry.Value.IsTold)];
        }

        var holders = PortHolder.Find([.. waiting.Where(entry => PortProblems.IsTaken(entry.Value.Error)).Select(entry => entry.Key.Address)]);
        foreach (var (key, report) in waiting)
        {
            var problem = PortProblems.From(report.Error, key.Address, holders.GetValueOrDefault(key.Address));
            lock (_gate)
            {
                if (!_open.TryGetValue(key, out var open) || !ReferenceEquals(open, report))
                {
                    continue; // solved meanwhile
                }

                report.IsTold = true;
                problems.Report(key.Service, problem);
            }

            DataPlaneLog.PortProblem(log, key.Service?.ToString() ?? name, problem.Reason, problem.Message);
        }
    }

    private sealed class Report(SocketException error)
    {
        public SocketException Error => error;

        public bool IsTold { get; set; }
    }
}

using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Mesh.Core.Names;
using Mesh.Loops;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Listening;

/// <summary>
/// Tells of ports that cannot be listened on, beside the loop that listens: who holds them is looked up for all that wait
/// at once, and no more than a few times a second, since one look walks the descriptors of every process. What one cause
/// keeps from being served on many addresses is told as one problem.
/// </summary>
/// <param name="name">What listens, as the log calls it where it is no Service.</param>
internal sealed class PortReports(string name, IPortProblems problems, ProcessLoops loops, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly Dictionary<(NamespacedName? Service, IPEndPoint Address), Report> _open = [];
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private Task _telling = Task.CompletedTask;

    public void Start() => _telling = loops.RunAsync("port reports", TellAsync, _stop.Token);

    /// <summary>Returns at once; what failed there before is over. What is given together may be told together.</summary>
    public void Failed(params IReadOnlyCollection<PortFailure> failures)
    {
        if (failures.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            foreach (var failure in failures)
            {
                Close(failure.For, failure.Address);
                _open[(failure.For, failure.Address)] = new Report(failure.Cause);
            }
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>The port is listened on, or no longer wanted: what was not told yet never is.</summary>
    public void Solved(NamespacedName? service, IPEndPoint address)
    {
        lock (_gate)
        {
            Close(service, address);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _telling;
        _stop.Dispose();
    }

    private void Close(NamespacedName? service, IPEndPoint address)
    {
        if (_open.Remove((service, address), out var report) && report.Told is { } told && --told.Open == 0)
        {
            problems.Solved(told.Problem);
        }
    }

    private async Task TellAsync(CancellationToken stop)
    {
        while (true)
        {
            await _signal.Reader.ReadAsync(stop);
            await Task.Yield(); // the first look, too, is not the caller's
            try
            {
                Tell();
            }
            catch
            {
                _signal.Writer.TryWrite(true); // what was not told is known still, and the next run's
                throw;
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    private void Tell()
    {
        ImmutableArray<KeyValuePair<(NamespacedName? Service, IPEndPoint Address), Report>> waiting;
        lock (_gate)
        {
            waiting = [.. _open.Where(entry => entry.Value.Told is null)];
        }

        var holders = PortHolder.Find([.. waiting.Where(entry => entry.Value.Cause is PortCause.Refused { IsTaken: true }).Select(entry => entry.Key.Address)]);
        var found = waiting.Select(entry =>
            (entry.Key.Service, Problem: PortProblems.From(entry.Value.Cause, entry.Key.Address, holders.GetValueOrDefault(entry.Key.Address)), Report: entry.Value));
        foreach (var same in found.GroupBy(entry => (entry.Service, entry.Problem.Address.Port, entry.Problem.Reason, entry.Problem.Why)))
        {
            lock (_gate)
            {
                Tell(same.Key.Service, [.. same.Where(entry => IsOpen(entry.Service, entry.Problem.Address, entry.Report)).Select(entry => (entry.Problem, entry.Report))]);
            }
        }
    }

    /// <summary>False when it was solved meanwhile.</summary>
    private bool IsOpen(NamespacedName? service, IPEndPoint address, Report report) =>
        _open.TryGetValue((service, address), out var open) && ReferenceEquals(open, report);

    private void Tell(NamespacedName? service, ImmutableArray<(PortProblem Problem, Report Report)> same)
    {
        if (same.IsEmpty)
        {
            return;
        }

        var problem = same[0].Problem with { AlsoAt = [.. same.Skip(1).Select(entry => entry.Problem.Address.Address)] };
        problems.Report(service, problem);
        var told = new ToldProblem(problem) { Open = same.Length };
        foreach (var (_, report) in same)
        {
            report.Told = told;
        }

        DataPlaneLog.PortProblem(log, service?.ToString() ?? name, problem.Reason, problem.Message);
    }

    private sealed class Report(PortCause cause)
    {
        public PortCause Cause => cause;

        public ToldProblem? Told { get; set; }
    }

    private sealed class ToldProblem(PortProblem problem)
    {
        public PortProblem Problem => problem;

        /// <summary>Addresses of it that are not served yet.</summary>
        public int Open { get; set; }
    }
}

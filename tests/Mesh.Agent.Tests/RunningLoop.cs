using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Mesh.Agent.Probes;
using Mesh.Testing;

namespace Mesh.Agent.Tests;

/// <summary>A probe loop that runs, on a clock that the test moves.</summary>
internal sealed class RunningLoop : IAsyncDisposable
{
    private readonly ArmedTime _time = new();
    private readonly ErrorLog _log = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ProbeLoop _loop;
    private readonly Task _running;
    private ProbeTarget? _target;

    public RunningLoop(int places = 1024)
    {
        _loop = new ProbeLoop(new ProbeRunner(_time), _time, _log, places);
        _running = Loops.Loops.RunAsync("probes", _loop.RunAsync, _stop.Token);
    }

    public WatchedLoops Loops { get; } = new();

    public ArmedTime Time => _time;

    public ConcurrentQueue<Exception> Errors => _log.Errors;

    /// <summary>The next result meets an exception where it is told.</summary>
    public bool FailToTell { get; set; }

    public Channel<bool> Told { get; } = Channel.CreateBounded<bool>(20_000);

    public ProbeTarget Add(ProbeSpec spec)
    {
        ProbeTarget? target = null;
        target = new ProbeTarget(spec, async () =>
        {
            if (FailToTell)
            {
                FailToTell = false;
                throw new IOException("The disk is full.");
            }

            await Told.Writer.WriteAsync(target!.IsReady);
        });
        _target = target;
        _loop.Add(target);
        return target;
    }

    public void Suspect(int port) => _loop.Suspect(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>Waits until the loop's timer is set to go off after that.</summary>
    public async Task ArmedAsync(TimeSpan after, CancellationToken stop)
    {
        while (await _time.Armed.Reader.ReadAsync(stop) != after)
        {
        }
    }

    /// <summary>Lets one attempt happen, and says whether the Pod is ready after it.</summary>
    public async Task<bool> AttemptAsync(CountingServer server, int status, CancellationToken stop)
    {
        var before = _target!.Attempts;
        if (before > 0)
        {
            Time.Advance(TimeSpan.FromSeconds(10));
        }

        await server.AnswerAsync(status, stop);
        while (_target.Attempts == before)
        {
            // The loop sets its timer anew after each result.
            await _time.Armed.Reader.ReadAsync(stop);
        }

        return _target.IsReady;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}

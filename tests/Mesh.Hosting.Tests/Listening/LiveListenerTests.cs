using System.Net.Sockets;
using Mesh.Node.Listening;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Hosting.Tests.Listening;

/// <summary>What becomes of a listener whose option changes, and of one beside another.</summary>
[Trait("Row", "DP-D19")]
public sealed class LiveListenerTests
{
    private const int Limit = 60_000;

    private readonly List<string> _events = [];
    private readonly Dictionary<string, TaskCompletionSource> _underWay = [];
    private readonly WatchedLoops _loops = new();
    private string? _taken;
    private Exception? _fault;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task It_moves_at_once_and_what_is_under_way_on_the_old_address_ends_by_itself()
    {
        await using var listener = Listener();
        await listener.ApplyAsync("a", Stop);
        await listener.ApplyAsync("a", Stop);
        await listener.ApplyAsync("b", Stop);
        Assert.Equal(["open a", "close a", "open b"], _events);
        Assert.Null(listener.WhyNotListening);

        _underWay["a"].SetResult();
        await UntilAsync("dispose a");
        Assert.Equal(["open a", "close a", "open b", "dispose a"], _events);
    }

    [Fact(Timeout = Limit)]
    public async Task A_drain_waits_for_all_that_is_under_way_and_cuts_it_when_told_to_hurry()
    {
        await using var listener = Listener();
        await listener.ApplyAsync("a", Stop);
        await listener.ApplyAsync("b", Stop);
        using var hurry = new CancellationTokenSource();
        var drained = listener.DrainAsync(hurry.Token);
        _underWay["b"].SetResult();
        await UntilAsync("dispose b");
        Assert.False(drained.IsCompleted);

        await hurry.CancelAsync();
        await drained;
        Assert.Equal(["open a", "close a", "open b", "close b", "dispose b", "cut a", "dispose a"], _events);
    }

    [Fact(Timeout = Limit)]
    public async Task An_option_that_changes_for_ever_leaves_four_behind_and_cuts_the_oldest()
    {
        await using var listener = Listener();
        foreach (var setting in (string[])["a", "b", "c", "d", "e"])
        {
            await listener.ApplyAsync(setting, Stop);
        }

        Assert.DoesNotContain("cut a", _events);
        await listener.ApplyAsync("f", Stop);
        await UntilAsync("dispose a");
        Assert.Equal(["cut a"], _events.Where(static what => what.StartsWith("cut", StringComparison.Ordinal)));
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "drain of a listener")]
    public async Task A_drain_that_throws_is_gone_on_with()
    {
        await using var listener = Listener();
        await listener.ApplyAsync("a", Stop);
        await listener.ApplyAsync("b", Stop);
        _fault = PlantedTime.Planted();
        _underWay["a"].SetResult();
        Assert.IsType<InvalidOperationException>(await _loops.EndedAsync("drain of a listener", Stop));
        await UntilAsync("dispose a");
    }

    [Fact(Timeout = Limit)]
    public async Task A_port_that_is_taken_is_tried_again()
    {
        await using var listener = Listener();
        _taken = "a";
        await listener.ApplyAsync("a", Stop);
        Assert.StartsWith("Test does not listen on a: ", listener.WhyNotListening, StringComparison.Ordinal);

        _taken = null;
        await listener.RetryAsync(Stop);
        Assert.Null(listener.WhyNotListening);
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_meets_an_exception_keeps_no_other_from_being_opened_or_tried_again()
    {
        await using var faulty = new LiveListener("faulty", (_, _) => throw PlantedTime.Planted(), _loops.Loops, NullLogger.Instance);
        await using var other = Listener();
        _taken = "b";
        await Assert.ThrowsAnyAsync<Exception>(() => LiveListener.EachAsync(() => faulty.ApplyAsync("a", Stop), () => other.ApplyAsync("b", Stop)));
        Assert.StartsWith("Test does not listen on b: ", other.WhyNotListening, StringComparison.Ordinal);

        _taken = null;
        await Assert.ThrowsAnyAsync<Exception>(() => LiveListener.EachAsync(() => faulty.RetryAsync(Stop), () => other.RetryAsync(Stop)));
        Assert.Null(other.WhyNotListening);
        _underWay["b"].SetResult();
    }

    private LiveListener Listener() => new("Test", (setting, _) => Task.FromResult(Open(setting)), _loops.Loops, NullLogger.Instance);

    private OpenListener Open(string setting)
    {
        if (_taken == setting)
        {
            throw new SocketException((int)SocketError.AddressAlreadyInUse);
        }

        var underWay = _underWay[setting] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Note("open " + setting);
        return new OpenListener(
            () => Noted("close " + setting),
            async cut =>
            {
                await underWay.Task.WaitAsync(cut).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (Interlocked.Exchange(ref _fault, null) is { } fault)
                {
                    throw fault;
                }

                if (cut.IsCancellationRequested)
                {
                    Note("cut " + setting);
                }
            },
            () => new ValueTask(Noted("dispose " + setting)));
    }

    private Task Noted(string what)
    {
        Note(what);
        return Task.CompletedTask;
    }

    private void Note(string what)
    {
        lock (_events)
        {
            _events.Add(what);
        }
    }

    private async Task UntilAsync(string what)
    {
        while (true)
        {
            lock (_events)
            {
                if (_events.Contains(what))
                {
                    return;
                }
            }

            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }
}

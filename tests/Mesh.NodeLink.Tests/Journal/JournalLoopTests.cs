using Mesh.Core.Routing;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.Wire;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.NodeLink.Tests.Journal;

/// <summary>A file that throws what no file should, in each loop of the journal.</summary>
[Trait("Row", "DP-D4")]
public sealed class JournalLoopTests : IDisposable
{
    private readonly Place _place = new();
    private readonly FakeTimeProvider _time = new();
    private readonly WatchedLoops _loops = new();
    private volatile bool _fails;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "journal writes")]
    public async Task Whoever_waits_for_a_write_that_met_an_exception_is_told_and_the_next_write_is_made()
    {
        var journal = Open();
        _fails = true;
        await Assert.ThrowsAsync<IOException>(() => journal.WriteAsync(new Registration { Uid = "lost" }, Stop).AsTask());
        await _loops.EndedAsync("journal writes", Stop);
        await journal.WriteAsync(new Registration { Uid = "next" }, Stop);
        await journal.DisposeAsync();

        await using var reopened = NodeJournal.Open(_place.Journal, "boot", _loops.Loops, _time, NullLogger<NodeJournal>.Instance);
        Assert.Equal(["next"], reopened.Registrations.Select(registration => registration.Uid));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Loop", "journal")]
    public async Task What_waited_when_the_writer_met_an_exception_is_written_after_it()
    {
        using var stop = new CancellationTokenSource();
        var journal = Open();
        var writing = _loops.Loops.RunAsync("journal", journal.RunAsync, stop.Token);
        journal.Keep([new RoutingChange.NamespaceExists("default", true)], synced: false);
        _fails = true;
        var ended = _loops.EndedAsync("journal", Stop);
        while (!ended.IsCompleted)
        {
            _time.Advance(NodeJournal.FlushEvery);
            await Task.Yield();
        }

        await stop.CancelAsync();
        await writing;
        await journal.DisposeAsync();
        await using var reopened = NodeJournal.Open(_place.Journal, "boot", _loops.Loops, _time, NullLogger<NodeJournal>.Instance);
        Assert.Equal([new RoutingChange.NamespaceExists("default", true)], reopened.Changes);
    }

    public void Dispose() => _place.Dispose();

    private NodeJournal Open() =>
        NodeJournal.Open(_place.Journal, "boot", _loops.Loops, _time, NullLogger<NodeJournal>.Instance, (path, mode) => new Faulty(path, mode, this));

    private sealed class Faulty(string path, FileMode mode, JournalLoopTests test) : FileStream(path, mode, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (test._fails)
            {
                test._fails = false;
                throw new InvalidOperationException("planted");
            }

            base.Write(buffer);
        }
    }
}

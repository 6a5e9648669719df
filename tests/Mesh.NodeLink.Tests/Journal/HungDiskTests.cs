using Mesh.Core.Routing;
using Mesh.NodeLink.Journal;
using Mesh.NodeLink.Wire;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.NodeLink.Tests.Journal;

/// <summary>A disk that answers nothing for a while, as a failing one or a stopped network file system does.</summary>
[Trait("Row", "DP-D16")]
public sealed class HungDiskTests : IDisposable
{
    private const int Limit = 60_000;

    private readonly Place _place = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ManualResetEventSlim _answers = new(true);
    private readonly SemaphoreSlim _asked = new(0);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task A_disk_that_hangs_holds_up_nobody_who_only_tells_and_those_who_wait_for_a_limit()
    {
        await using var journal = Open();
        _answers.Reset();

        var waiting = Enumerable.Range(0, 1_000).Select(number => journal.WriteAsync(new Registration { Uid = $"u{number}" }, Stop).AsTask()).ToList();
        await _asked.WaitAsync(Stop);
        journal.Keep(FakeSilo.Options);
        journal.Keep([new RoutingChange.NamespaceExists("default", true)], synced: true);

        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        _time.Advance(JournalWriter.LongestWait);
        foreach (var task in waiting)
        {
            Assert.Equal("the disk has not answered for 5 s", (await Assert.ThrowsAsync<IOException>(() => task)).Message);
        }

        _answers.Set();
    }

    [Fact(Timeout = Limit)]
    public async Task What_was_told_not_to_be_kept_is_not_kept_when_the_disk_answers_again()
    {
        var journal = Open();
        await journal.WriteAsync(new Registration { Uid = "before" }, Stop);
        await _asked.WaitAsync(Stop);
        _answers.Reset();
        var given = journal.WriteAsync(new Registration { Uid = "given-up" }, Stop).AsTask();
        using var left = new CancellationTokenSource();
        var gone = journal.WriteAsync(new Registration { Uid = "gone" }, left.Token).AsTask();
        await _asked.WaitAsync(Stop);
        var ended = journal.EndAsync("before", Stop).AsTask();
        await left.CancelAsync();
        _time.Advance(JournalWriter.LongestWait);
        await Assert.ThrowsAsync<IOException>(() => given);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await ended;

        _answers.Set();
        await journal.WriteAsync(new Registration { Uid = "after" }, Stop);
        await journal.DisposeAsync();

        await using var next = NodeJournal.Open(_place.Journal, "boot", WatchedLoops.Unwatched(), _time, NullLogger<NodeJournal>.Instance);
        Assert.Equal(["after"], next.Registrations.Select(registration => registration.Uid));
    }

    public void Dispose()
    {
        _answers.Set();
        _place.Dispose();
        _answers.Dispose();
        _asked.Dispose();
    }

    private NodeJournal Open()
    {
        var journal = NodeJournal.Open(_place.Journal, "boot", WatchedLoops.Unwatched(), _time, NullLogger<NodeJournal>.Instance, (path, mode) => new Disk(path, mode, this));
        while (_asked.Wait(0, CancellationToken.None))
        {
            // The start was written.
        }

        return journal;
    }

    private sealed class Disk(string path, FileMode mode, HungDiskTests test) : FileStream(path, mode, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            test._asked.Release();
            test._answers.Wait();
            base.Write(buffer);
        }
    }
}

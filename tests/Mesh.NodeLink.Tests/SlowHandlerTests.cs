using System.Threading.Channels;
using Mesh.Core.Routing;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.SiloEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.NodeLink.Tests;

/// <summary>Both ends of the link over a silo that answers no report, or answers late.</summary>
public sealed class SlowHandlerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Place _place = new();
    private FakeSilo _silo = null!;
    private FakeNode _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _gate.TrySetResult();
        await _node.DisposeAsync();
        await _silo.DisposeAsync();
        _place.Dispose();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D1")]
    public async Task A_silo_whose_handlers_answer_nothing_reads_acknowledgements_and_hears_that_the_link_lives()
    {
        var session = await LinkAsync();
        await PutAllInHandAsync(LinkLimits.ReportsInFlight);
        for (var repeated = 0; repeated < 3; repeated++)
        {
            await RepeatAsync(repeated);
            await session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, Stop);
            Assert.Equal(TimeSpan.Zero, session.Silence);
        }
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D1")]
    public async Task Answers_that_come_after_a_repetition_settle_every_report_and_each_was_handled_once()
    {
        var session = await LinkAsync();
        await PutAllInHandAsync(LinkLimits.ReportsInFlight);
        await RepeatAsync(0);
        await RepeatAsync(1);
        await session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, Stop); // the repeated ones were read

        _gate.SetResult();
        for (var i = 0; i < LinkLimits.ReportsInFlight + 2; i++)
        {
            await _node.Acks.Reader.ReadAsync(Stop);
        }

        Assert.Equal(0, _node.Outbox.Count);
        Assert.Equal(LinkLimits.ReportsInFlight + 2, _silo.Seen.Count);
        Assert.All(_silo.Seen.Values, times => Assert.Equal(1, times));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D1")]
    public async Task Of_what_a_Pod_reports_while_one_report_is_handled_only_the_newest_is_handled_next()
    {
        var session = await LinkAsync();
        await PutAllInHandAsync(1);
        for (ulong liveness = 2; liveness <= 4; liveness++)
        {
            _node.Outbox.Put(new PodReport(LinkTests.Report("u0")) { Liveness = liveness });
            await session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, Stop); // begins to be sent
            await session.ApplyAsync([new RoutingChange.NamespaceExists("default", true)], synced: true, Stop); // was read
        }

        _gate.SetResult();
        Assert.Equal(4ul, (await _silo.Reports.Reader.ReadAsync(Stop)).Liveness);
        Assert.Equal(4ul, (await _node.Acks.Reader.ReadAsync(Stop)).Report.Liveness);
        Assert.Equal(0, _node.Outbox.Count);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "CP-D1")]
    public async Task Every_end_is_heard_while_no_registration_is_answered_and_all_are_answered_after()
    {
        const int Each = 3 * LinkLimits.ReportsInFlight;
        await LinkAsync();
        var ends = Channel.CreateBounded<string>(Each);
        _silo.Observe = report =>
        {
            if (!report.Ended)
            {
                return null;
            }

            ends.Writer.TryWrite(report.Uid);
            return new ReportAck { Result = ReportAck.Types.Result.Heard };
        };
        for (var i = 0; i < Each; i++)
        {
            _node.Outbox.Put(LinkTests.Report($"new-{i}"));
            _node.Outbox.Put(LinkTests.Report($"dead-{i}", ended: true));
        }

        var heard = new HashSet<string>(StringComparer.Ordinal);
        while (heard.Count < Each)
        {
            heard.Add(await ends.Reader.ReadAsync(Stop));
        }

        Assert.Equal(2 * Each, _node.Outbox.Count);
        _gate.SetResult();
        for (var i = 0; i < 2 * Each; i++)
        {
            await _node.Acks.Reader.ReadAsync(Stop);
        }

        Assert.Equal(0, _node.Outbox.Count);
    }

    private async Task<LinkSession> LinkAsync()
    {
        _silo = await FakeSilo.StartAsync(_place.Socket, Stop, _time);
        _silo.Answer = async (_, stop) =>
        {
            await _gate.Task.WaitAsync(stop);
            return new ReportAck();
        };
        _node = new FakeNode(_place.Socket, _time);
        return await _silo.Sessions.Reader.ReadAsync(Stop);
    }

    private async Task PutAllInHandAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _node.Outbox.Put(LinkTests.Report($"u{i}"));
        }

        for (var i = 0; i < count; i++)
        {
            await _silo.Reports.Reader.ReadAsync(Stop);
        }
    }

    /// <summary>Lets all that is unanswered be sent again; a further report makes the node look.</summary>
    private async Task RepeatAsync(int number)
    {
        _time.Advance(ReportOutbox.RepeatAfter);
        _node.Outbox.Put(LinkTests.Report($"more-{number}"));
        await Task.Yield();
    }
}

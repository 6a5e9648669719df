using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.NodeLink.Tests;

public sealed class ReportOutboxTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ReportOutbox _outbox;

    public ReportOutboxTests() => _outbox = new ReportOutbox(_time);

    [Fact]
    [Trait("Row", "CP-D9")]
    public void A_second_answer_to_an_end_removes_no_later_end_of_the_same_uid()
    {
        _outbox.Put(Report("u1", 1, ended: true));
        var first = Assert.Single(Taken());
        _outbox.Put(Report("other", 1));
        Taken();
        _time.Advance(ReportOutbox.RepeatAfter);
        _outbox.Take(out _); // what is due is being sent again
        _outbox.Acknowledge(new ReportAck { Number = first.Number });
        _outbox.Put(Report("u1", 2, ended: true));
        var sent = Taken();
        _outbox.Acknowledge(new ReportAck { Number = first.Number });
        var second = Assert.Single(sent, report => report.Uid == "u1" && report.Liveness == 2);
        _outbox.Acknowledge(new ReportAck { Number = second.Number, Result = ReportAck.Types.Result.Retry });

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains(Taken(), report => report.Uid == "u1" && report.Liveness == 2);
    }

    [Fact]
    [Trait("Row", "CP-D9")]
    public void An_answer_to_an_older_report_is_handed_on_as_that_was_sent()
    {
        _outbox.Put(Report("u1", 1));
        var older = Assert.Single(Taken());
        _outbox.Put(new PodReport(Report("u1", 2)) { Terminating = true });

        var answered = _outbox.Acknowledge(new ReportAck { Number = older.Number });

        Assert.NotNull(answered);
        Assert.False(answered.Terminating);
        Assert.Equal(2ul, Assert.Single(Taken()).Liveness);
        Assert.Equal(1, _outbox.Count);
    }

    [Fact]
    [Trait("Row", "CP-D9")]
    public void An_answer_to_a_report_that_a_newer_one_followed_is_handed_on_to_nobody_and_the_newer_one_stays()
    {
        _outbox.Put(Report("u1", 1));
        var older = Assert.Single(Taken());
        _outbox.Put(new PodReport(Report("u1", 2)) { Terminating = true });
        var newer = Assert.Single(Taken());

        Assert.Null(_outbox.Acknowledge(new ReportAck { Number = older.Number }));
        Assert.Equal(1, _outbox.Count);
        Assert.True(_outbox.Acknowledge(new ReportAck { Number = newer.Number })?.Terminating);
        Assert.Equal(0, _outbox.Count);
    }

    [Fact]
    [Trait("Row", "CP-D1")]
    public void A_report_stays_in_the_window_until_it_is_answered_however_old_it_is()
    {
        for (var i = 0; i < 3 * LinkLimits.ReportsInFlight; i++)
        {
            _outbox.Put(Report($"u{i}", 1));
        }

        var first = Taken();
        Assert.Equal(LinkLimits.ReportsInFlight, first.Count);
        for (var repeated = 0; repeated < 5; repeated++)
        {
            _time.Advance(ReportOutbox.RepeatAfter);
            Assert.Equal(first.Select(report => report.Uid).Order(), Taken().Select(report => report.Uid).Order());
        }

        _outbox.Acknowledge(new ReportAck { Number = first[0].Number });
        Assert.DoesNotContain(Assert.Single(Taken()).Uid, first.Select(report => report.Uid));
    }

    [Fact]
    [Trait("Row", "CP-D1")]
    public void On_a_new_link_all_is_sent_again_and_answers_of_the_old_one_settle_nothing()
    {
        _outbox.Put(Report("u1", 1));
        _outbox.Put(Report("u2", 1));
        var first = Taken();

        _outbox.BeginLink();

        Assert.Null(_outbox.Acknowledge(new ReportAck { Number = first[0].Number }));
        Assert.Equal(["u1", "u2"], Taken().Select(report => report.Uid).Order());
        Assert.Equal(2, _outbox.Count);
    }

    [Fact]
    [Trait("Row", "CP-D1")]
    public void Words_of_known_Pods_and_ends_go_past_new_Pods_that_wait_for_the_store()
    {
        _outbox.Put(Report("known", 1));
        _outbox.Acknowledge(new ReportAck { Number = Assert.Single(Taken()).Number });
        for (var i = 0; i < 2 * LinkLimits.ReportsInFlight; i++)
        {
            _outbox.Put(Report($"new-{i}", 1));
        }

        Assert.Equal(LinkLimits.ReportsInFlight, Taken().Count);
        _outbox.Put(Report("known", 2));
        _outbox.Put(Report("dead", 1, ended: true));
        _outbox.Put(Report($"new-{(2 * LinkLimits.ReportsInFlight) - 1}", 2, ended: true)); // has not even been told of
        Assert.Equal(["dead", "known", $"new-{(2 * LinkLimits.ReportsInFlight) - 1}"], Taken().Select(report => report.Uid).Order());
        Assert.Empty(Taken());
    }

    [Fact]
    [Trait("Row", "CP-D1")]
    public void What_the_silo_has_heard_takes_no_place_and_is_kept_until_its_commit_is_known()
    {
        const int Ends = 3 * LinkLimits.ReportsInFlight;
        for (var i = 0; i < Ends; i++)
        {
            _outbox.Put(Report($"u{i}", 1, ended: true));
        }

        var sent = new List<PodReport>();
        for (var batch = Taken(); batch.Count > 0; batch = Taken())
        {
            Assert.InRange(batch.Count, 1, LinkLimits.ReportsInFlight);
            Assert.All(batch, report => Assert.Null(_outbox.Acknowledge(new ReportAck { Number = report.Number, Result = ReportAck.Types.Result.Heard })));
            sent.AddRange(batch);
        }

        Assert.Equal(Ends, sent.Count);
        Assert.Equal(Ends, _outbox.Count);
        _time.Advance(ReportOutbox.RepeatAfter);
        Assert.Empty(Taken());
        _time.Advance(ReportOutbox.RepeatHeardAfter);
        Assert.Equal(Ends, Taken().Count);
        Assert.All(sent, report => Assert.Same(report, _outbox.Acknowledge(new ReportAck { Number = report.Number })));
        Assert.Equal(0, _outbox.Count);
    }

    [Fact]
    [Trait("Row", "CP-D1")]
    public void What_was_only_heard_is_sent_again_on_the_next_link()
    {
        _outbox.Put(Report("u1", 1, ended: true));
        _outbox.Acknowledge(new ReportAck { Number = Assert.Single(Taken()).Number, Result = ReportAck.Types.Result.Heard });

        _outbox.BeginLink();

        Assert.Equal("u1", Assert.Single(Taken()).Uid);
    }

    private static PodReport Report(string uid, ulong liveness, bool ended = false) => new(LinkTests.Report(uid, ended)) { Liveness = liveness };

    private List<PodReport> Taken()
    {
        var taken = new List<PodReport>();
        while (_outbox.Take(out _) is { } report)
        {
            taken.Add(report);
        }

        return taken;
    }
}

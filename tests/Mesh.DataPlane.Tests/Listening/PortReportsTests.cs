using System.Net;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.DataPlane.Tests.Listening;

/// <summary>Which problem is over, when addresses of one problem fail again.</summary>
public sealed class PortReportsTests
{
    private static readonly IPEndPoint First = IPEndPoint.Parse("127.0.0.1:30080");
    private static readonly IPEndPoint Second = IPEndPoint.Parse("127.0.0.2:30080");

    private readonly Problems _problems = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task An_address_that_fails_again_is_a_problem_of_its_own_beside_what_is_left_of_the_first()
    {
        await using var reports = new PortReports("test", _problems, WatchedLoops.Unwatched(), TimeProvider.System, NullLogger.Instance);
        var service = SomeRoutes.Name("web");
        reports.Start();
        reports.Failed(new PortFailure(service, First, new PortCause.TooMany(1)), new PortFailure(service, Second, new PortCause.TooMany(1)));
        var both = await _problems.ReportedAsync(Stop);
        Assert.Equal((First, Second.Address), (both.Address, Assert.Single(both.AlsoAt)));

        reports.Solved(service, First);
        reports.Failed(new PortFailure(service, First, new PortCause.TooMany(1)));
        var again = await _problems.ReportedAsync(Stop);
        Assert.Equal(First, again.Address);

        reports.Solved(service, Second);
        Assert.Same(both, await _problems.OverAsync(Stop));
        reports.Solved(service, First);
        Assert.Same(again, await _problems.OverAsync(Stop));
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "DP-D4")]
    [Trait("Loop", "port reports")]
    public async Task A_problem_that_met_an_exception_while_it_was_told_is_told_again()
    {
        var loops = new WatchedLoops();
        await using var reports = new PortReports("test", _problems, loops.Loops, TimeProvider.System, NullLogger.Instance);
        reports.Start();
        _problems.Fault = PlantedTime.Planted();
        reports.Failed(new PortFailure(null, First, new PortCause.TooMany(1)));
        await loops.EndedAsync("port reports", Stop);
        Assert.Equal(First, (await _problems.ReportedAsync(Stop)).Address);
    }

    [Fact(Timeout = 30_000)]
    public async Task Another_cause_ends_the_problem_and_is_the_next()
    {
        await using var reports = new PortReports("test", _problems, WatchedLoops.Unwatched(), TimeProvider.System, NullLogger.Instance);
        reports.Start();
        reports.Failed(new PortFailure(null, First, new PortCause.TooMany(1)));
        var before = await _problems.ReportedAsync(Stop);

        reports.Failed(new PortFailure(null, First, new PortCause.Service(SomeRoutes.Name("web"))));

        Assert.Same(before, await _problems.OverAsync(Stop));
        Assert.IsType<PortProblem.OfService>(await _problems.ReportedAsync(Stop));
    }
}

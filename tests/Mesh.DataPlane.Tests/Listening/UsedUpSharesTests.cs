using Mesh.Core.Descriptors;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.Listening;

/// <summary>Who gets no more descriptors is told where its user looks.</summary>
public sealed class UsedUpSharesTests
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "R-B1")]
    public async Task A_share_that_is_used_up_is_told_once_until_it_has_been_given_all_for_ten_seconds()
    {
        var stop = TestContext.Current.CancellationToken;
        var (time, problems, budget) = (new FakeTimeProvider(), new Problems(), new DescriptorBudget(1024));
        var used = new UsedUpShares(budget, problems, time);
        var share = budget.OpenFor(SomeRoutes.Name("web"));
        used.Look();
        Assert.Null(used.Why);

        while (share.TryTake())
        {
        }

        for (var second = 0; second < 30; second++)
        {
            Assert.False(share.TryTake());
            used.Look();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        var problem = await problems.ReportedAsync(stop);
        Assert.Equal(("DescriptorsUsedUp", used.Why), (problem.Reason, problem.Message));
        Assert.StartsWith("Connections to Service default/web have 528 of the 704 files and sockets", problem.Message, StringComparison.Ordinal);

        share.Give(share.Used);
        time.Advance(TimeSpan.FromSeconds(9));
        used.Look();
        Assert.Null(used.Why);
        await problems.SolvedAsync(stop);
    }
}

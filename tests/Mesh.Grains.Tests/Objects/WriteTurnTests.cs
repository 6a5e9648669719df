using Mesh.Grains.Objects;
using Xunit;

namespace Mesh.Grains.Tests.Objects;

public sealed class WriteTurnTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D12")]
    public async Task A_projection_gives_way_to_all_who_ask_and_is_written_after_them()
    {
        using var turn = new WriteTurn();
        var order = new List<string>();
        var tries = 0;
        var projecting = turn.ProjectAsync(
            async giveWay =>
            {
                if (++tries == 1)
                {
                    await new TaskCompletionSource().Task.WaitAsync(giveWay);
                }

                order.Add("projection");
                return 0;
            },
            Stop);

        var asking = Enumerable.Range(0, 3).Select(number => turn.AskAsync(
            async () =>
            {
                await Task.Yield();
                order.Add($"asked {number}");
                return number;
            },
            Stop)).ToArray();

        var answers = await Task.WhenAll(asking);
        await projecting;
        Assert.Equal([0, 1, 2], answers);
        Assert.Equal(["asked 0", "asked 1", "asked 2", "projection"], order);
        Assert.False(turn.IsTaken);
    }

    [Fact(Timeout = 30_000)]
    [Trait("Row", "CP-D12")]
    public async Task A_projection_that_is_being_written_is_waited_for_and_not_written_twice()
    {
        using var turn = new WriteTurn();
        var begun = new TaskCompletionSource();
        var tries = 0;
        var projecting = turn.ProjectAsync(
            async _ =>
            {
                tries++;
                await begun.Task;
                return 0;
            },
            Stop);
        var asking = turn.AskAsync(() => Task.FromResult(1), Stop);
        Assert.False(asking.IsCompleted);

        begun.SetResult();
        await Task.WhenAll(projecting, asking);
        Assert.Equal(1, tries);
    }

    [Fact(Timeout = 30_000)]
    public async Task Whoever_gives_up_waiting_for_the_turn_leaves_it_to_the_next()
    {
        using var turn = new WriteTurn();
        var held = new TaskCompletionSource<int>();
        var first = turn.AskAsync(() => held.Task, Stop);
        using var giveUp = new CancellationTokenSource();
        var second = turn.AskAsync(() => Task.FromResult(2), giveUp.Token);
        var third = turn.ProjectAsync(_ => Task.FromResult(3), Stop);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        held.SetResult(1);
        Assert.Equal(1, await first);
        Assert.Equal(3, await third);
        Assert.False(turn.IsTaken);
    }
}

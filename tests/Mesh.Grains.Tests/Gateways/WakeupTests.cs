using System.Runtime.ExceptionServices;
using Mesh.Grains.Gateways;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Grains.Tests.Gateways;

public class WakeupTests
{
    private const int Timeout = 60_000;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Timeout)]
    public async Task When_the_time_is_up_the_wait_returns_and_nothing_is_thrown()
    {
        var thrown = 0;
        var own = new AsyncLocal<bool> { Value = true };
        void Count(object? sender, FirstChanceExceptionEventArgs first) => thrown += own.Value && first.Exception is TimeoutException ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            var waiting = new Wakeup(_time).WaitAsync(TimeSpan.FromSeconds(1), Stop);
            Assert.False(waiting.IsCompleted);
            _time.Advance(TimeSpan.FromSeconds(1));
            await waiting;
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        Assert.Equal(0, thrown);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_was_set_before_ends_one_wait_and_not_the_next()
    {
        var wakeup = new Wakeup(_time);
        wakeup.Set();
        wakeup.Set();
        await wakeup.WaitAsync(null, Stop);
        var second = wakeup.WaitAsync(null, Stop);
        Assert.False(second.IsCompleted);
        wakeup.Set();
        await second;
    }

    [Fact(Timeout = Timeout)]
    public async Task A_cancelled_wait_says_so()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var waiting = new Wakeup(_time).WaitAsync(null, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}

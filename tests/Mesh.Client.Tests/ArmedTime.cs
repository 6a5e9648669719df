using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Client.Tests;

/// <summary>Time that moves only when the timer which is meant has been armed.</summary>
internal sealed class ArmedTime : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _armed = Channel.CreateBounded<TimeSpan>(10_000);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _armed.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Completes when such a timer is armed.</summary>
    public async Task ArmedAsync(TimeSpan due, CancellationToken stop)
    {
        while (await _armed.Reader.ReadAsync(stop) != due)
        {
        }
    }

    /// <summary>Lets the next wait before another attempt pass, as soon as there is one; how long it was.</summary>
    public async Task<TimeSpan> RetryAsync(TimeSpan shorterThan, CancellationToken stop)
    {
        TimeSpan due;
        do
        {
            due = await _armed.Reader.ReadAsync(stop);
        }
        while (due <= TimeSpan.Zero || due >= shorterThan);
        Advance(due);
        return due;
    }

    /// <summary>Lets every wait before another attempt pass, until that is done.</summary>
    public async Task UntilAsync(Task done, TimeSpan shorterThan, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var retries = RetriesAsync();
        try
        {
            await done;
        }
        finally
        {
            await over.CancelAsync();
            await retries;
        }

        async Task RetriesAsync()
        {
            try
            {
                while (true)
                {
                    await RetryAsync(shorterThan, over.Token);
                }
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
            }
        }
    }

    public async Task AdvanceAsync(TimeSpan due, CancellationToken stop)
    {
        await ArmedAsync(due, stop);
        Advance(due);
    }
}

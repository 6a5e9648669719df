using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Mesh.Agent.Tests;

/// <summary>Tells what timers are set to.</summary>
internal sealed class ArmedTime : FakeTimeProvider
{
    public Channel<TimeSpan> Armed { get; } = Channel.CreateBounded<TimeSpan>(100_000);

    /// <summary>The next timer that is set meets an exception.</summary>
    public bool FailOnce { get; set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // Told when it is set: whoever advances the clock upon it must not be before it.
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Armed.Writer.TryWrite(dueTime);
        return new Timer(timer, this);
    }

    private sealed class Timer(ITimer timer, ArmedTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (time.FailOnce)
            {
                time.FailOnce = false;
                throw new ArithmeticException("A fault of the test.");
            }

            var changed = timer.Change(dueTime, period);
            time.Armed.Writer.TryWrite(dueTime);
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}

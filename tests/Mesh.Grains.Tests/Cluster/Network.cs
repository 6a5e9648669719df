using System.Collections.Concurrent;

namespace Mesh.Grains.Tests.Cluster;

/// <summary>What happens to one call between grains.</summary>
public enum Loss
{
    None,

    /// <summary>The message never arrives.</summary>
    Message,

    /// <summary>The message arrives, its answer does not.</summary>
    Answer,
}

/// <summary>One call between grains, as the network of the tests saw it.</summary>
public sealed record SeenCall(string Source, string Target, string Method, Loss Loss);

/// <summary>Loses messages and answers between grains as a test chooses, and remembers the calls it carried.</summary>
public sealed class Network : IOutgoingGrainCallFilter
{
    private const int MostSeen = 100_000;
    private readonly ConcurrentQueue<SeenCall> _seen = new();
    private Func<IOutgoingGrainCallContext, Loss> _choose = _ => Loss.None;

    public IReadOnlyCollection<SeenCall> Seen => _seen;

    public void Choose(Func<IOutgoingGrainCallContext, Loss> loss) => Volatile.Write(ref _choose, loss);

    /// <summary>Loses the first so many calls of a method to grains whose key contains the text.</summary>
    public void LoseFirst(int count, Loss loss, string method, string target)
    {
        var left = count;
        Choose(call => call.MethodName == method
            && call.TargetId.ToString().Contains(target, StringComparison.Ordinal)
            && Interlocked.Decrement(ref left) >= 0
                ? loss
                : Loss.None);
    }

    public void Heal() => Choose(_ => Loss.None);

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var loss = Volatile.Read(ref _choose)(context);
        if (_seen.Count < MostSeen)
        {
            _seen.Enqueue(new SeenCall(context.SourceId?.ToString() ?? "", context.TargetId.ToString(), context.MethodName, loss));
        }

        if (loss == Loss.Message)
        {
            throw new TimeoutException($"The test lost {context.MethodName}.");
        }

        await context.Invoke();
        if (loss == Loss.Answer)
        {
            throw new TimeoutException($"The test lost the answer to {context.MethodName}.");
        }
    }
}

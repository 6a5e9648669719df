namespace Mesh.Client;

/// <summary>An address that the node gives before a server binds it: a registration without ports, which the first stream of the Pod takes over.</summary>
internal sealed class PodAllocation(NodeClient node, PodWish wish, PodStanding standing, PodStream stream, TimeProvider time, Random random) : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private Task? _held;

    /// <exception cref="OperationCanceledException">No answer in time; nothing is held then.</exception>
    public async Task<PodIdentity> HoldAsync(CancellationToken stop)
    {
        wish.Change(desired => desired.At(MeshOptions.AllocateAddress, []));
        var retry = new RetryDelay(random);
        while (true)
        {
            var answer = PodStanding.NewAnswer();
            var held = node.StreamAsync(wish.Desired with { Ready = false }, uid: null, pod => answer.TrySetResult(pod.Identity), _end.Token);
            _held = held;
            try
            {
                await Task.WhenAny(answer.Task, held).WaitAsync(stop);
                if (answer.Task.IsCompleted)
                {
                    var pod = await answer.Task;
                    standing.Is(pod);
                    return pod;
                }

                stream.Explain(await held);
                await Task.Delay(retry.Next(isRefused: false, TimeSpan.Zero, hasPod: true), time, stop);
            }
            catch (OperationCanceledException)
            {
                await ReleaseAsync();
                throw;
            }
        }
    }

    /// <summary>Gives up what was allocated; the node ends it with its stream.</summary>
    public async Task ReleaseAsync()
    {
        await _end.CancelAsync();
        await (_held ?? Task.CompletedTask);
        standing.WasNone();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await (_held ?? Task.CompletedTask);
        _end.Dispose();
    }
}

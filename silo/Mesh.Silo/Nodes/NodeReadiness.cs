using Mesh.Silo.Links;

namespace Mesh.Silo.Nodes;

/// <summary>Whether this machine serves: the node has this silo's first whole snapshot, and its listeners are up.</summary>
internal sealed class NodeReadiness(Uri node, OpenLinks links, NodeSupervisor supervisor, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LookWhileStarting = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LookWhenReady = TimeSpan.FromSeconds(1);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = node, Timeout = TimeSpan.FromSeconds(2) };
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _why = "mesh-node has not answered yet";

    /// <summary>Completes when it was ready once.</summary>
    public Task FirstReady => _first.Task;

    /// <summary>A sentence for <c>/readyz</c>, null when ready.</summary>
    public string? WhyNot() => Volatile.Read(ref _why);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var why = links.AnySynced ? await AskAsync(stop)
                : supervisor.LastEnd is { } end ? "mesh-node does not run: it " + end
                : "mesh-node has not linked, or has not been told everything yet";
            Volatile.Write(ref _why, why);
            if (why is null)
            {
                _first.TrySetResult();
            }

            await Task.Delay(_first.Task.IsCompleted ? LookWhenReady : LookWhileStarting, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<string?> AskAsync(CancellationToken stop)
    {
        try
        {
            using var answer = await _client.GetAsync("/readyz", stop);
            return answer.IsSuccessStatusCode ? null : "mesh-node: " + (await answer.Content.ReadAsStringAsync(stop)).Trim();
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return "mesh-node does not answer: " + failure.Message;
        }
    }
}

using Mesh.Core.Routing;

namespace Mesh.Agent;

/// <summary>The Agent's way into this machine's snapshot, held by the loop that owns it.</summary>
public interface ILocalRouting
{
    /// <summary>What this machine routes by now.</summary>
    RoutingSnapshot Current { get; }

    /// <summary>Completes when the published snapshot has it.</summary>
    ValueTask ApplyAsync(LocalPod pod, CancellationToken stop);

    /// <summary>The uid's end has been committed: its filter is no longer needed.</summary>
    ValueTask ForgetAsync(string uid, CancellationToken stop);
}

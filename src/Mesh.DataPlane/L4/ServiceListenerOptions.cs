using Mesh.Core.Descriptors;

namespace Mesh.DataPlane.L4;

/// <summary>Limits and times of the L4 proxy.</summary>
public sealed record ServiceListenerOptions
{
    /// <summary>Of it connections and listeners are taken: a Service that gets no more accepts nobody until it does, and a place without a listener is told and tried again.</summary>
    public DescriptorBudget Descriptors { get; init; } = new(long.MaxValue);

    /// <summary>Time that one endpoint has to accept before another is tried.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Endpoints tried for one client connection.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>How often a port that could not be listened on is tried again, and the machine asked for its addresses.</summary>
    public TimeSpan RetryEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the place of a Pod stays the Pod's after its endpoint was last seen: its process may restart there.</summary>
    public TimeSpan KeptForPods { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Connections that wait to be accepted, per port.</summary>
    public int Backlog { get; init; } = 512;
}

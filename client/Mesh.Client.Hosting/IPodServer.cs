using System.Net;

namespace Mesh.Client.Hosting;

/// <summary>The server of a host, as what the Pod's address and ports are known from.</summary>
internal interface IPodServer
{
    /// <summary>A host without a server listens by itself.</summary>
    bool IsNone { get; }

    /// <summary>False for a server whose addresses are decided elsewhere, such as a test server.</summary>
    bool CanBind { get; }

    /// <summary>The address that the Pod was allocated: set before the server binds, which then binds there. Null again when nothing could be bound there.</summary>
    IPAddress? BindAt { get; set; }

    /// <summary>The ports that were bound there; none when nothing was.</summary>
    IReadOnlySet<int> BoundThere { get; }

    /// <summary>The other ports of the server: those bound as they were configured.</summary>
    IReadOnlySet<int> BoundElsewhere { get; }

    /// <summary>The ports at which the server listens on every address.</summary>
    IEnumerable<int> Wildcards { get; }

    /// <summary>What the server bound as it was configured, as a Pod.</summary>
    BoundPod Bound();

    /// <summary>The same at the address that the Pod was given.</summary>
    BoundPod Bound(IPAddress allocated);
}

/// <summary>What a bound server is as a Pod.</summary>
/// <param name="LeftOut">Addresses that the Pod's one address does not reach.</param>
internal sealed record BoundPod(string Address, IReadOnlyDictionary<string, int> Ports, IReadOnlyList<string> LeftOut);

/// <summary>The server of a worker: none.</summary>
internal sealed class NoServer : IPodServer
{
    public bool IsNone => true;

    public bool CanBind => true;

    public IPAddress? BindAt { get; set; }

    public IReadOnlySet<int> BoundThere { get; } = new HashSet<int>();

    public IReadOnlySet<int> BoundElsewhere { get; } = new HashSet<int>();

    public IEnumerable<int> Wildcards => [];

    public BoundPod Bound() => new(MeshOptions.HostAddress, new Dictionary<string, int>(), []);

    public BoundPod Bound(IPAddress allocated) => new(allocated.ToString(), new Dictionary<string, int>(), []);
}

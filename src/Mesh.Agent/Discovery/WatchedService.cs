using System.Collections.Immutable;
using Mesh.Core.Names;
using Mesh.Core.Routing;

namespace Mesh.Agent.Discovery;

/// <summary>A Service that somebody watches: its watches, and its newest document, which is written once for all of them.</summary>
internal sealed class WatchedService(NamespacedName name)
{
    private ImmutableArray<ServiceWatch> _watches = [];
    private Written? _written;

    public NamespacedName Name => name;

    /// <summary>Replaced whole by <see cref="ServiceWatches"/>, under its lock.</summary>
    public ImmutableArray<ServiceWatch> Watches
    {
        get => _watches;
        set => ImmutableInterlocked.InterlockedExchange(ref _watches, value);
    }

    public byte[] Document(ServiceRoute route, long revision, string clusterDomain)
    {
        var written = Volatile.Read(ref _written);
        if (!ReferenceEquals(written?.Route, route))
        {
            written = new Written(route, ServiceDocument.One(route, revision, clusterDomain));
            Volatile.Write(ref _written, written);
        }

        return written.Document;
    }

    private sealed record Written(ServiceRoute Route, byte[] Document);
}

using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.Grains.Abstractions.Nodes;
using Mesh.Grains.Gateways;
using Mesh.NodeLink;
using Mesh.NodeLink.SiloEnd;
using Mesh.Silo.Certificates;

namespace Mesh.Silo.Links;

/// <summary>One node's link as its gateway grain sees it.</summary>
internal sealed class GatewayLink(LinkSession session, string nodeName, string address, IngressCertificate certificate) : IGatewayLink
{
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string NodeName => nodeName;

    public NodeSession Session { get; } = new("", session.Hello.Incarnation, (long)session.Hello.Link, address, session.Hello.Build);

    public TimeSpan Silence => session.Silence;

    public ReadOnlyMemory<byte> DefaultCertificate => certificate.Pem;

    public CancellationToken Ended => session.Ended;

    /// <summary>Whether everything that the control plane knew when the link was made stands in the node's snapshot.</summary>
    public bool IsSynced => _synced.Task.IsCompleted;

    public async Task ApplyAsync(ImmutableArray<RoutingChange> changes, bool synced, CancellationToken stop)
    {
        try
        {
            await session.ApplyAsync(changes, synced, stop);
        }
        catch (LinkLostException)
        {
            throw new LinkEndedException(session.Id);
        }

        if (synced)
        {
            _synced.TrySetResult();
        }
    }

    public void RequestInventory(string ns) => session.RequestInventory(ns);
}

using Mesh.Core.Names;
using Mesh.Grains.Events;
using Mesh.NodeLink.Wire;
using Mesh.Storage;

namespace Mesh.Silo.Links;

/// <summary>Shows a port that a node cannot listen on where its user looks: as an Event of the Service, or of the Node.</summary>
internal sealed class PortEvents(IWatchCache cache, EventRecorder events)
{
    public void Record(string nodeName, PortProblem problem)
    {
        var about = problem.Service.Length > 0
            ? cache.Get(new ObjectKey("", "Service", problem.Namespace, problem.Service))
            : cache.Get(new ObjectKey("", "Node", "", nodeName));
        if (about is not null)
        {
            events.Record(about, isWarning: true, problem.Reason, $"on node {nodeName}: {problem.Message}");
        }
    }
}

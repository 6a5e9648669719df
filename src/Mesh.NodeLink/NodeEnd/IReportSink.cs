using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>Where the Agent puts what it knows of its Pods.</summary>
public interface IReportSink
{
    /// <summary>Replaces what waits for the same Pod; the sink numbers it, and repeats it until the silo has it.</summary>
    void Put(PodReport report);

    /// <summary>False when so much waits that no new Pod may be taken on.</summary>
    bool HasRoom { get; }
}

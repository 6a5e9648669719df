using System.Net;
using Mesh.Core.Routing;

namespace Mesh.DataPlane;

/// <summary>
/// Told of endpoints that refused a connection, or answer nobody, so that the Agent looks at the Pod now and not at its next probe.
/// Called from the data path: it must return at once.
/// </summary>
public interface ISuspects
{
    void Refused(Endpoint endpoint, IPEndPoint address);

    void Silent(Endpoint endpoint, IPEndPoint address);
}

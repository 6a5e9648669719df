using Mesh.NodeLink.Journal;
using Mesh.NodeLink.Wire;

namespace Mesh.Node;

internal sealed class NoJournal : IRegistrationJournal
{
    public ValueTask WriteAsync(Registration registration, CancellationToken stop) => default;

    public ValueTask EndAsync(string uid, CancellationToken stop) => default;
}

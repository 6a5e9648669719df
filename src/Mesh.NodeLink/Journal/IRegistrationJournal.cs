using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.Journal;

/// <summary>Where registrations are kept: what was answered survives the node process.</summary>
public interface IRegistrationJournal
{
    /// <summary>Completes when a restarted node would find it.</summary>
    /// <exception cref="IOException">It would not.</exception>
    ValueTask WriteAsync(Registration registration, CancellationToken stop);

    /// <summary>What has ended has ended: what the disk does not take now is written as soon as it has room.</summary>
    ValueTask EndAsync(string uid, CancellationToken stop);
}

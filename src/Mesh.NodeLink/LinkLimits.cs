namespace Mesh.NodeLink;

/// <summary>The limits of a link; each has an answer in the code that meets it.</summary>
public static class LinkLimits
{
    /// <summary>Changes and inventories are cut into messages of about this size; one larger object goes alone.</summary>
    public const int BatchBytes = 1 << 20;

    /// <summary>A larger message ends the link. Above the largest object that the API takes (3 MiB), with its endpoints.</summary>
    public const int MessageBytes = 16 << 20;

    /// <summary>Reports that a node has sent and that are not acknowledged yet; more wait in the outbox.</summary>
    public const int ReportsInFlight = 256;

    /// <summary>Hello and Welcome must come within this time.</summary>
    public static readonly TimeSpan Handshake = TimeSpan.FromSeconds(5);

    /// <summary>An HTTP/2 ping after this much silence, and as long again for its answer: so a stopped peer ends the link.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(5);
}

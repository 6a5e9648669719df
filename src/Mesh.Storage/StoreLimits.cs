namespace Mesh.Storage;

/// <summary>What the store takes at most. More is answered with <see cref="CommitOutcome.Refused"/>.</summary>
public static class StoreLimits
{
    /// <summary>1.5 MiB, the size that etcd accepts by default.</summary>
    public const int MaxDocumentBytes = 1_572_864;

    public const int MaxWritesPerCommit = 1_000;

    /// <summary>Nesting of a document; the API refuses deeper ones before they come here.</summary>
    public const int MaxDocumentDepth = 128;
}

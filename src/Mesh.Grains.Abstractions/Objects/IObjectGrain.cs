namespace Mesh.Grains.Abstractions.Objects;

/// <summary>A grain that is the only writer of one API object: the write path is the same for every kind.</summary>
public interface IObjectGrain : IGrainWithStringKey
{
    /// <summary>Admitted by the ApiServer; the grain adds allocations, commits, then answers.</summary>
    [Alias("Write"), ResponseTimeout("00:00:10")]
    Task<ObjectReply> Write(ObjectRequest request, CancellationToken stop);

    /// <summary>A reason to look, not a command: the object, or something that it depends on, changed in the store.</summary>
    /// <param name="version">The cache must have followed the log to here before the grain reads.</param>
    [Alias("Reconcile")]
    Task Reconcile(long version, CancellationToken stop);
}

/// <summary>What the ApiServer asks for.</summary>
/// <param name="Document">The whole object after patch and defaults; empty for a deletion.</param>
/// <param name="IfVersion">resourceVersion that the document was made from; 0 when the client named none.</param>
/// <param name="IfUid">uid precondition, empty for none.</param>
/// <param name="Propagation">Of a deletion: what becomes of the dependents.</param>
/// <param name="GracePeriodSeconds">Of a deletion: null means the kind's default, 0 removes at once (Pods).</param>
[GenerateSerializer, Immutable, Alias("mesh.ObjectRequest")]
public sealed record ObjectRequest(
    [property: Id(0)] ObjectVerb Verb,
    [property: Id(1)] ReadOnlyMemory<byte> Document,
    [property: Id(2)] long IfVersion,
    [property: Id(3)] string IfUid,
    [property: Id(4)] bool DryRun,
    [property: Id(5)] long? GracePeriodSeconds = null,
    [property: Id(6)] Propagation Propagation = Propagation.Default);

[GenerateSerializer]
public enum ObjectVerb
{
    Create,
    Update,
    Delete,
}

/// <summary>The grain's answer; the ApiServer turns it into a status code in one place.</summary>
[GenerateSerializer, Immutable, Alias("mesh.ObjectReply")]
public sealed record ObjectReply(
    [property: Id(0)] ObjectResult Result,
    [property: Id(1)] ReadOnlyMemory<byte> Document,
    [property: Id(2)] long ResourceVersion,
    [property: Id(3)] string Message,
    [property: Id(4)] string Field = "");

[GenerateSerializer]
public enum ObjectResult
{
    /// <summary>Stored; the document is the object as stored (for a deletion: as it last was).</summary>
    Committed,

    /// <summary>Marked with a deletionTimestamp; it goes when its owner has drained it.</summary>
    DeletionStarted,

    NotFound,
    AlreadyExists,

    /// <summary>resourceVersion or uid differ from what is stored.</summary>
    Conflict,

    /// <summary>422; Field and Message name one cause.</summary>
    Invalid,

    /// <summary>The namespace is missing: 404 for it.</summary>
    NamespaceNotFound,

    /// <summary>403, reason NamespaceTerminating.</summary>
    NamespaceTerminating,

    /// <summary>No address is left in the Service CIDR: 500 with a sentence, as Kubernetes.</summary>
    Exhausted,

    /// <summary>The store does not answer; nothing was written: 503.</summary>
    Unavailable,

    /// <summary>The outcome is unknown: 504; read again.</summary>
    Unknown,
}

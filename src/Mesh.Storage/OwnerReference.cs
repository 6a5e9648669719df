namespace Mesh.Storage;

/// <summary>One entry of <c>metadata.ownerReferences</c> (meta/v1): an object without which this one is garbage.</summary>
/// <param name="Blocks">A deletion of the owner in the foreground waits for this one.</param>
public sealed record OwnerReference(string ApiVersion, string Kind, string Name, string Uid, bool Blocks);

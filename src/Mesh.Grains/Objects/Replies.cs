using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>The answers of object grains: outcomes of the store become replies here and nowhere else.</summary>
public static class Replies
{
    public static ObjectReply Stored(StoredObject stored, ObjectResult result = ObjectResult.Committed) =>
        new(result, stored.Document, stored.ResourceVersion, "");

    public static ObjectReply DryRun(ReadOnlyMemory<byte> document, StoredObject? current) =>
        new(ObjectResult.Committed, document, current?.ResourceVersion ?? 0, "");

    public static ObjectReply NotFound(ObjectKey key) => Refusal(ObjectResult.NotFound, $"{key} does not exist");

    public static ObjectReply AlreadyExists(ObjectKey key) => Refusal(ObjectResult.AlreadyExists, $"{key} already exists");

    public static ObjectReply Conflict(string message) => Refusal(ObjectResult.Conflict, message);

    public static ObjectReply Invalid(string field, string message) => new(ObjectResult.Invalid, default, 0, message, field);

    public static ObjectReply Exhausted(string message) => Refusal(ObjectResult.Exhausted, message);

    public static ObjectReply Unavailable(string message) => Refusal(ObjectResult.Unavailable, message);

    public static ObjectReply Unknown() =>
        Refusal(ObjectResult.Unknown, "the store's answer was lost; the change may have been made: read it again");

    public static ObjectReply Namespace(string name, StoredObject? current) => current is null
        ? Refusal(ObjectResult.NamespaceNotFound, $"namespaces \"{name}\" not found")
        : Refusal(
            ObjectResult.NamespaceTerminating,
            $"unable to create new content in namespace {name} because it is being terminated");

    private static ObjectReply Refusal(ObjectResult result, string message) => new(result, default, 0, message);
}

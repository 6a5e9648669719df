using System.Diagnostics;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Requests;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Writing;

/// <summary>Turns a writer's answer into what the client reads, in one place.</summary>
internal static class Replies
{
    /// <summary>Null when the write was done.</summary>
    public static ApiStatus? Refusal(ObjectReply reply, ResourceRequest request, string name) => reply.Result switch
    {
        ObjectResult.Committed or ObjectResult.DeletionStarted => null,
        ObjectResult.NotFound => ApiStatus.NotFound(request.Resource, name),
        ObjectResult.AlreadyExists => ApiStatus.AlreadyExists(request.Resource, name),
        ObjectResult.Conflict => reply.Message.Length > 0
            ? ApiStatus.Conflict(request.Resource, name, reply.Message)
            : ApiStatus.Modified(request.Resource, name),
        ObjectResult.Invalid => ApiStatus.Invalid(request.Resource, name, [new Cause("FieldValueInvalid", reply.Field, reply.Message)]),
        ObjectResult.NamespaceNotFound => NoNamespace(request.Namespace),
        ObjectResult.NamespaceTerminating => ApiStatus.NamespaceTerminating(request.Resource, name, request.Namespace),
        ObjectResult.Exhausted => ApiStatus.Internal(reply.Message),
        ObjectResult.Unavailable => ApiStatus.Unavailable($"the store does not answer; nothing was written: {reply.Message}"),
        ObjectResult.Unknown => ApiStatus.Timeout($"the write may or may not have been done; read the object again: {reply.Message}"),
        _ => throw new UnreachableException(),
    };

    private static ApiStatus NoNamespace(string name) => new(404, "NotFound", $"namespaces \"{name}\" not found")
    {
        Kind = "namespaces",
        Name = name,
    };
}

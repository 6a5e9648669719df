using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Objects;

/// <summary>What a request says of the state that it is made for, before any kind's own rules.</summary>
internal static class RequestConditions
{
    /// <summary>Why it does not apply to the state; null when it does.</summary>
    public static ObjectReply? Refused(ObjectKey key, ObjectRequest request, StoredObject? current)
    {
        if (request.Verb == ObjectVerb.Create)
        {
            return current is null ? null : Replies.AlreadyExists(key);
        }

        if (current is null)
        {
            return Replies.NotFound(key);
        }

        if (request.IfUid.Length > 0 && request.IfUid != current.Uid)
        {
            return Replies.Conflict($"Precondition failed: UID in precondition: {request.IfUid}, UID in object meta: {current.Uid}");
        }

        return request.IfVersion != 0 && request.IfVersion != current.ResourceVersion
            ? Replies.Conflict("the object has been modified; please apply your changes to the latest version and try again")
            : null;
    }
}

using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Writing;

/// <summary>Commits one admitted object: through its grain, or straight to the store.</summary>
internal interface IObjectWriter
{
    Task<ObjectReply> WriteAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop);
}

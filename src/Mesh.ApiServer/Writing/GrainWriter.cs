using Mesh.ApiServer.Resources;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Writing;

/// <summary>Hands an object to the grain that owns it.</summary>
internal sealed class GrainWriter(IGrainFactory grains, Func<IGrainFactory, string, IObjectGrain> find) : IObjectWriter
{
    public async Task<ObjectReply> WriteAsync(Resource resource, ObjectKey key, ObjectRequest request, CancellationToken stop)
    {
        try
        {
            return await find(grains, $"{key.Namespace}/{key.Name}").Write(request, stop);
        }
        catch (TimeoutException late)
        {
            return new ObjectReply(ObjectResult.Unknown, default, 0, late.Message);
        }
        catch (OrleansException unreachable)
        {
            // The message may have arrived: what happened to it is not known.
            return new ObjectReply(ObjectResult.Unknown, default, 0, unreachable.Message);
        }
    }
}

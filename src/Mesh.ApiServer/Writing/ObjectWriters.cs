using System.Diagnostics;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Writing;

/// <summary>Which writer commits a kind.</summary>
internal sealed class ObjectWriters(StoreWriter store, IGrainFactory? grains = null)
{
    public IObjectWriter For(Resource resource) => resource.WrittenBy switch
    {
        WrittenBy.Grain when grains is null => store,
        WrittenBy.Grain grain => new GrainWriter(grains, grain.Find),
        WrittenBy.Store => store,
        _ => throw new UnreachableException(),
    };
}

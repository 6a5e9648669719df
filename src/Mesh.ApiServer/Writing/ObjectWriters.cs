using System.Diagnostics;
using Mesh.ApiServer.Resources;

namespace Mesh.ApiServer.Writing;

/// <summary>Which writer commits a kind.</summary>
internal interface IObjectWriters
{
    IObjectWriter For(Resource resource);
}

/// <summary>Grains write what they own, the ApiServer everything else.</summary>
internal sealed class ObjectWriters(IGrainFactory grains, StoreWriter store) : IObjectWriters
{
    public IObjectWriter For(Resource resource) => resource.WrittenBy switch
    {
        WrittenBy.Grain grain => new GrainWriter(grains, grain.Find),
        WrittenBy.Store => store,
        _ => throw new UnreachableException(),
    };
}

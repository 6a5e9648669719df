using System.Diagnostics;
using Mesh.ApiServer.Resources;
using Mesh.Storage;

namespace Mesh.ApiServer.Writing;

/// <summary>Which writer commits a kind.</summary>
internal interface IObjectWriters
{
    IObjectWriter For(Resource resource);
}

/// <summary>Grains write what they own, the ApiServer everything else.</summary>
internal sealed class ObjectWriters(IGrainFactory grains, StoreWriter store, IWatchCache cache, Admission admission) : IObjectWriters
{
    public IObjectWriter For(Resource resource) => resource.WrittenBy switch
    {
        WrittenBy.Grain grain when resource.WaitsForFinalizers => new FinalizerWriter(new GrainWriter(grains, grain.Find), cache, admission),
        WrittenBy.Grain grain => new GrainWriter(grains, grain.Find),
        WrittenBy.Store => store,
        _ => throw new UnreachableException(),
    };
}

namespace Mesh.Grains;

/// <summary>References to grains by their key, for the calls that every change makes.</summary>
internal static class KeyedGrains
{
    /// <summary>
    /// As <c>GetGrain</c>, which reads the attributes of the interface by reflection at each call: that cost more than the
    /// call it was for.
    /// </summary>
    public static TGrain Keyed<TGrain>(this IGrainFactory grains, string key)
        where TGrain : IGrainWithStringKey
    {
        if (Kind<TGrain>.Known is not { } kind)
        {
            var first = grains.GetGrain<TGrain>(key);
            Kind<TGrain>.Known = new Types(first.GetGrainId().Type, ((GrainReference)(object)first).InterfaceType);
            return first;
        }

        return (TGrain)grains.GetGrain(GrainId.Create(kind.Grain, key), kind.Interface);
    }

    private sealed record Types(GrainType Grain, GrainInterfaceType Interface);

    // Attributes name them, so they are the same on every silo.
    private static class Kind<TGrain>
    {
        public static Types? Known { get; set; }
    }
}

namespace Mesh.ServiceDiscovery;

/// <summary>The node's last word on a name.</summary>
internal abstract record ServiceWord
{
    private ServiceWord()
    {
    }

    /// <summary>It has not said anything yet. <paramref name="Why"/>: what the last try met.</summary>
    public sealed record None(string Why) : ServiceWord;

    /// <summary>The Service as it is; it stays the last word while the node is away.</summary>
    public sealed record Known(KnownService Service) : ServiceWord;

    /// <summary>There is no such Service now: the name may be DNS's.</summary>
    public sealed record Missing(string Why) : ServiceWord;
}

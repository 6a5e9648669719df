using System.Collections.Immutable;

namespace Mesh.Client;

/// <summary>What the application wants its Pod to be; immutable, replaced as a whole.</summary>
internal sealed record PodDesired
{
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;

    /// <summary>Counts changes.</summary>
    public long Version { get; init; }

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>False when the user chose the name.</summary>
    public bool IsNameMade { get; init; }

    public required string Address { get; init; }

    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> Annotations { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableArray<RegistrationProtocol.Port> Ports { get; init; } = [];

    /// <summary>Where the process answers its node (<see cref="NodeAnswers"/>); null if it does not.</summary>
    public string? AnswersAt { get; init; }

    /// <summary>The application's own word.</summary>
    public bool Ready { get; init; } = true;

    /// <summary>With it, what is to be shown of readiness.</summary>
    public string? Reason { get; init; }

    /// <summary>What is to be shown while nothing else is: a health check that is only just good enough.</summary>
    public string? Note { get; init; }

    /// <summary>Conditions that are not met; with any, the Pod is not ready.</summary>
    public ImmutableList<IDisposable> Gates { get; init; } = [];

    /// <summary>On the way out; nothing makes the Pod ready again.</summary>
    public bool IsDraining { get; init; }

    public bool IsReady => Ready && Gates.IsEmpty && !IsDraining;

    public static PodDesired From(MeshOptions options, Random random) => new()
    {
        Namespace = options.Namespace,
        Name = options.FirstPodName(random),
        IsNameMade = options.PodName.Length == 0,
        Address = options.Address,
        Labels = options.Labels.ToImmutableDictionary(),
        Annotations = options.Annotations.ToImmutableDictionary(),
    };

    /// <summary>The application's name and a random suffix.</summary>
    public static string MakeName(Random random) => $"{MeshOptions.ApplicationName}-{new string(random.GetItems<char>(SuffixAlphabet, SuffixLength))}";

    /// <summary>Another random suffix; a name that the user chose stays.</summary>
    public PodDesired Renamed(Random random) => IsNameMade ? this with { Name = MakeName(random) } : this;

    public PodDesired At(string address, IEnumerable<KeyValuePair<string, int>> ports) =>
        this with { Address = address, Ports = [.. ports.Select(port => new RegistrationProtocol.Port(port.Key, port.Value))] };

    public PodDesired With(PodMetadataPatch patch) =>
        this with { Labels = Merge(Labels, patch.Labels), Annotations = Merge(Annotations, patch.Annotations) };

    public RegistrationProtocol.Registration ToRegistration() => new(Labels, ShownAnnotations, Ports, Address, IsReady);

    /// <summary>A merge patch from what the node has: labels that somebody else changed there are left alone.</summary>
    public RegistrationProtocol.Patch ChangesSince(PodDesired told) =>
        new(Changes(told.Labels, Labels), Changes(told.ShownAnnotations, ShownAnnotations), IsReady);

    private ImmutableDictionary<string, string> ShownAnnotations =>
        Message is { Length: > 0 } message ? Annotations.SetItem(PodRegistration.ReadinessAnnotation, message) : Annotations;

    private string? Message => IsDraining ? null : Reason ?? (Unmet is { Length: > 0 } unmet ? unmet : Note);

    private string Unmet => string.Join(", ", Gates.Select(gate => gate.ToString()).Where(text => text is { Length: > 0 }));

    private static Dictionary<string, string?> Changes(ImmutableDictionary<string, string> from, ImmutableDictionary<string, string> to)
    {
        var changes = to.Where(pair => from.GetValueOrDefault(pair.Key) != pair.Value).ToDictionary(pair => pair.Key, pair => (string?)pair.Value);
        foreach (var gone in from.Keys.Where(key => !to.ContainsKey(key)))
        {
            changes[gone] = null;
        }

        return changes;
    }

    private static ImmutableDictionary<string, string> Merge(ImmutableDictionary<string, string> into, IDictionary<string, string?> patch) =>
        patch.Aggregate(into, (map, pair) => pair.Value is { } value ? map.SetItem(pair.Key, value) : map.Remove(pair.Key));
}

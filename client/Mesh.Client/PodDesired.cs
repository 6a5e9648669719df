using System.Collections.Immutable;

namespace Mesh.Client;

/// <summary>What the application wants its Pod to be; immutable, replaced as a whole.</summary>
internal sealed record PodDesired
{
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;
    private const int MaxPrefixLength = 50;

    /// <summary>Counts changes.</summary>
    public long Version { get; init; }

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Null when the name was chosen by the user; else what is before the random suffix.</summary>
    public string? GeneratedFrom { get; init; }

    public required string Address { get; init; }

    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> Annotations { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableArray<RegistrationProtocol.Port> Ports { get; init; } = [];

    /// <summary>The application's own word.</summary>
    public bool Ready { get; init; } = true;

    /// <summary>With it, what is to be shown of readiness.</summary>
    public string? Reason { get; init; }

    /// <summary>Conditions that are not met; with any, the Pod is not ready.</summary>
    public ImmutableList<IDisposable> Gates { get; init; } = [];

    /// <summary>On the way out; nothing makes the Pod ready again.</summary>
    public bool IsDraining { get; init; }

    public bool IsReady => Ready && Gates.IsEmpty && !IsDraining;

    public static PodDesired From(MeshOptions options, Random random)
    {
        var desired = new PodDesired
        {
            Namespace = options.Namespace,
            Name = options.PodName,
            GeneratedFrom = options.PodName.Length > 0 ? null : AppName(),
            Address = options.Address,
            Labels = options.Labels.ToImmutableDictionary(),
            Annotations = options.Annotations.ToImmutableDictionary(),
        };
        return desired.Renamed(random);
    }

    /// <summary>Another random suffix; a name that the user chose stays.</summary>
    public PodDesired Renamed(Random random) => GeneratedFrom is null
        ? this
        : this with { Name = $"{GeneratedFrom}-{new string(random.GetItems<char>(SuffixAlphabet, SuffixLength))}" };

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

    private string? Message => IsDraining ? null : Reason ?? string.Join(", ", Gates.Select(gate => gate.ToString()).Where(text => text is { Length: > 0 }));

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

    /// <summary>The entry assembly's name as a DNS label.</summary>
    private static string AppName()
    {
        var name = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name?.ToLowerInvariant() ?? "";
        var label = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-').Take(MaxPrefixLength)]).Trim('-');
        return label.Length == 0 ? "app" : label;
    }
}

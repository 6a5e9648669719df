using System.Collections.Immutable;

namespace Mesh.Client;

/// <summary>What the application wants its Pod to be; immutable, replaced as a whole.</summary>
internal sealed record PodDesired
{
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;

    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Null when the name was chosen by the user; else what is before the random suffix.</summary>
    public string? GeneratedFrom { get; init; }

    public required string Address { get; init; }

    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> Annotations { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableArray<RegistrationProtocol.Port> Ports { get; init; } = [];

    public bool Ready { get; init; }

    /// <summary>Conditions of the application's own that are not met; with any, the Pod is not ready.</summary>
    public ImmutableList<IDisposable> Gates { get; init; } = [];

    public bool IsReady => Ready && Gates.IsEmpty;

    public static PodDesired From(MeshOptions options, Random random)
    {
        var prefix = options.PodName.Length > 0 ? null : AppName();
        var desired = new PodDesired
        {
            Namespace = options.Namespace,
            Name = options.PodName,
            GeneratedFrom = prefix,
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

    public RegistrationProtocol.Registration ToRegistration() => new(Labels, Annotations, Ports, Address, IsReady);

    private static ImmutableDictionary<string, string> Merge(ImmutableDictionary<string, string> into, IDictionary<string, string?> patch) =>
        patch.Aggregate(into, (map, pair) => pair.Value is { } value ? map.SetItem(pair.Key, value) : map.Remove(pair.Key));

    /// <summary>The entry assembly's name as a DNS label.</summary>
    private static string AppName()
    {
        var name = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name?.ToLowerInvariant() ?? "app";
        var label = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]).Trim('-');
        return label.Length is 0 or > 50 ? "app" : label;
    }
}

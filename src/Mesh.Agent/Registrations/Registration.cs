using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Labels;
using Mesh.Core.Pods;

namespace Mesh.Agent.Registrations;

/// <summary>What one registration asks for, checked; made by <see cref="RegistrationParser"/>.</summary>
internal sealed record Registration
{
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = LabelMap.Empty;

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = LabelMap.Empty;

    public ImmutableArray<ContainerPort> Ports { get; init; } = [];

    /// <summary><c>host</c>, <c>allocate</c> or an address.</summary>
    public string Address { get; init; } = HostAddress;

    /// <summary>False: not ready, whatever else says so. Null: the probe, or the ports, decide.</summary>
    public bool? Ready { get; init; }

    /// <summary>As it was written, for the Pod's document.</summary>
    public JsonElement? ReadinessProbe { get; init; }

    /// <summary>Which of its labels and annotations a later version than the first named.</summary>
    public NamedKeys Named { get; init; } = NamedKeys.None;

    public const string HostAddress = "host";
    public const string AllocatedAddress = "allocate";

    /// <summary>This one in the place of another of the same Pod: it names what it gives another value.</summary>
    public Registration After(Registration previous, long version) => this with
    {
        Named = new NamedKeys(
            NamedKeys.Next(previous.Named.Labels, Changed(previous.Labels, Labels), Labels, version),
            NamedKeys.Next(previous.Named.Annotations, Changed(previous.Annotations, Annotations), Annotations, version)),
    };

    private static string[] Changed(ImmutableSortedDictionary<string, string> before, ImmutableSortedDictionary<string, string> now) =>
        [.. now.Where(pair => !before.TryGetValue(pair.Key, out var value) || value != pair.Value).Select(pair => pair.Key)];
}

/// <summary>A merge patch of a registration: a null value removes the key.</summary>
internal sealed record RegistrationPatch(
    ImmutableArray<KeyValuePair<string, string?>> Labels,
    ImmutableArray<KeyValuePair<string, string?>> Annotations,
    bool? Ready,
    bool RemovesReady)
{
    /// <param name="version">Of the registration that comes of it.</param>
    public Registration ApplyTo(Registration registration, long version)
    {
        var labels = Merge(registration.Labels, Labels);
        var annotations = Merge(registration.Annotations, Annotations);
        return registration with
        {
            Labels = labels,
            Annotations = annotations,
            Ready = RemovesReady ? null : Ready ?? registration.Ready, // removed: the probe or the ports decide again (RFC 7386)
            Named = new NamedKeys(
                NamedKeys.Next(registration.Named.Labels, [.. Labels.Select(change => change.Key)], labels, version),
                NamedKeys.Next(registration.Named.Annotations, [.. Annotations.Select(change => change.Key)], annotations, version)),
        };
    }

    private static ImmutableSortedDictionary<string, string> Merge(
        ImmutableSortedDictionary<string, string> map,
        ImmutableArray<KeyValuePair<string, string?>> changes) =>
        changes.Aggregate(map, (merged, change) => change.Value is null ? merged.Remove(change.Key) : merged.SetItem(change.Key, change.Value));
}

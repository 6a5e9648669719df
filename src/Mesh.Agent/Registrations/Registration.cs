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

    public const string HostAddress = "host";
    public const string AllocatedAddress = "allocate";
}

/// <summary>A merge patch of a registration: a null value removes the key.</summary>
internal sealed record RegistrationPatch(
    ImmutableArray<KeyValuePair<string, string?>> Labels,
    ImmutableArray<KeyValuePair<string, string?>> Annotations,
    bool? Ready,
    bool RemovesReady)
{
    public Registration ApplyTo(Registration registration) => registration with
    {
        Labels = Merge(registration.Labels, Labels),
        Annotations = Merge(registration.Annotations, Annotations),
        Ready = RemovesReady ? null : Ready ?? registration.Ready, // removed: the probe or the ports decide again (RFC 7386)
    };

    private static ImmutableSortedDictionary<string, string> Merge(
        ImmutableSortedDictionary<string, string> map,
        ImmutableArray<KeyValuePair<string, string?>> changes) =>
        changes.Aggregate(map, (merged, change) => change.Value is null ? merged.Remove(change.Key) : merged.SetItem(change.Key, change.Value));
}

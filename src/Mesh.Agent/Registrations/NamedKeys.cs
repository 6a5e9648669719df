using System.Collections.Immutable;
using Mesh.NodeLink.Wire;

namespace Mesh.Agent.Registrations;

/// <summary>
/// At which version of its registration each label and annotation was last named (given another value by a PUT, or
/// mentioned by a PATCH). Only those are applied to the stored Pod: what kubectl changed of the others stays so.
/// </summary>
internal sealed record NamedKeys(ImmutableSortedDictionary<string, long> Labels, ImmutableSortedDictionary<string, long> Annotations)
{
    private const long First = 1;

    private static readonly KeyVersions Nothing = new();

    /// <summary>Of a first registration: everything is from its first version, which is said by leaving it out.</summary>
    public static NamedKeys None { get; } = new(Empty, Empty);

    private static ImmutableSortedDictionary<string, long> Empty => ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>As the journal has them.</summary>
    public static NamedKeys Read(NodeLink.Wire.Registration record, Registration registration) => record.Named is { } named
        ? new(Empty.SetItems(named.Labels), Empty.SetItems(named.Annotations))
        // Written before keys were counted: whatever the silo may not have applied yet counts as named last.
        : new(All(registration.Labels, record.Version), All(registration.Annotations, record.Version));

    public KeyVersions ToWire()
    {
        if (Labels.IsEmpty && Annotations.IsEmpty)
        {
            return Nothing; // of nearly all reports, and nobody changes it
        }

        var wire = new KeyVersions();
        wire.Labels.Add(Labels);
        wire.Annotations.Add(Annotations);
        return wire;
    }

    /// <summary>What a later version names, as a map that lost or gained those keys.</summary>
    public static ImmutableSortedDictionary<string, long> Next(
        ImmutableSortedDictionary<string, long> named, IReadOnlyCollection<string> keys, ImmutableSortedDictionary<string, string> map, long version)
    {
        var next = named.ToBuilder();
        foreach (var key in keys)
        {
            next[key] = version;
        }

        // What a registration no longer has is taken away, whenever that was.
        next.RemoveRange(named.Keys.Concat(keys).Where(key => !map.ContainsKey(key)));
        return next.ToImmutable();
    }

    /// <summary>What is stored, with what one version of the registration named and took away.</summary>
    public static ImmutableSortedDictionary<string, string> Apply(
        ImmutableSortedDictionary<string, string> stored,
        ImmutableSortedDictionary<string, string> before,
        ImmutableSortedDictionary<string, string> now,
        ImmutableSortedDictionary<string, long> named,
        long version) => stored
            .RemoveRange(before.Keys.Where(key => !now.ContainsKey(key)))
            .SetItems(now.Where(pair => named.GetValueOrDefault(pair.Key, First) == version));

    private static ImmutableSortedDictionary<string, long> All(ImmutableSortedDictionary<string, string> map, long version) =>
        version == First ? Empty : Empty.SetItems(map.Keys.Select(key => KeyValuePair.Create(key, version)));
}

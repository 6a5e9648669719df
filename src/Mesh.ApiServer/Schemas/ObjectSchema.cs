namespace Mesh.ApiServer.Schemas;

/// <summary>The fields of one API type, read from its class in the KubernetesClient package.</summary>
/// <param name="name">As in OpenAPI's components, such as <c>io.k8s.v1.ServiceSpec</c>.</param>
/// <param name="source">The class.</param>
public sealed class ObjectSchema(string name, string source)
{
    private readonly Dictionary<string, Field> _fields = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public string Source { get; } = source;

    public IReadOnlyDictionary<string, Field> Fields => _fields;

    internal void Add(Field field) => _fields.Add(field.Name, field);
}

/// <summary>One field of a type.</summary>
/// <param name="Source">The property of the class.</param>
/// <param name="Merge">How a strategic merge patch treats it; null: maps are merged, everything else is replaced.</param>
public sealed record Field(string Name, string Source, Shape Shape, MergeRule? Merge);

/// <summary>The <c>patchStrategy</c> and <c>patchMergeKey</c> tags of the Go type.</summary>
/// <param name="Key">The member that identifies an item; empty for lists of primitives.</param>
/// <param name="RetainsKeys">A patch may list the keys that stay (unions, such as volumes).</param>
/// <param name="Beside">A second member that tells items of one key apart, when a patch names it.</param>
/// <param name="BesideDefault">What an item means that leaves the second member out.</param>
public sealed record MergeRule(string Key, bool RetainsKeys = false, string Beside = "", string BesideDefault = "");

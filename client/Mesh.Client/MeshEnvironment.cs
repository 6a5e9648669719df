namespace Mesh.Client;

/// <summary>The short names in the environment, as the settings that they stand for.</summary>
internal static class MeshEnvironment
{
    private static readonly (string Variable, string Key)[] Single =
    [
        ("MESH_ENABLED", "Enabled"),
        ("MESH_NODE_URL", "NodeUrl"),
        ("MESH_NAMESPACE", "Namespace"),
        ("MESH_POD_NAME", "PodName"),
        ("MESH_ADDRESS", "Address"),
        ("MESH_WHEN_DELETED", "WhenDeleted"),
    ];

    /// <summary>Set to nothing is not set.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Settings(Func<string, string?> variables) =>
        Single.Select(name => new KeyValuePair<string, string?>(name.Key, variables(name.Variable)))
            .Where(setting => setting.Value is { Length: > 0 })
            .Concat(Pairs("Labels", variables("MESH_LABELS")))
            .Concat(Pairs("Ports", variables("MESH_PORTS")));

    /// <summary>One without <c>=</c> has no value, which whoever reads it refuses.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Pairs(string section, string? text) =>
        from pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        let split = pair.IndexOf('=', StringComparison.Ordinal)
        select split > 0
            ? new KeyValuePair<string, string?>($"{section}:{pair[..split]}", pair[(split + 1)..])
            : new KeyValuePair<string, string?>($"{section}:{pair}", null);
}

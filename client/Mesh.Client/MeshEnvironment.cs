using System.Globalization;

namespace Mesh.Client;

/// <summary>Reads the short environment names into the options; what cannot be read is an error with the variable's name.</summary>
public static class MeshEnvironment
{
    /// <exception cref="FormatException">A variable cannot be read; the message names it.</exception>
    public static void Apply(MeshOptions options, Func<string, string?> variables)
    {
        string? variable(string name) => variables(name) is { Length: > 0 } value ? value : null; // set to nothing is not set
        options.NodeUrl = variable("MESH_NODE_URL") ?? options.NodeUrl;
        options.Namespace = variable("MESH_NAMESPACE") ?? options.Namespace;
        options.PodName = variable("MESH_POD_NAME") ?? options.PodName;
        options.Address = variable("MESH_ADDRESS") ?? options.Address;
        if (variable("MESH_ENABLED") is { } enabled)
        {
            options.Enabled = bool.TryParse(enabled, out var value)
                ? value
                : throw new FormatException($"MESH_ENABLED is '{enabled}'; it must be true or false.");
        }

        if (variable("MESH_WHEN_DELETED") is { } deletion)
        {
            options.WhenDeleted = Enum.TryParse<MeshDeletion>(deletion, ignoreCase: true, out var value) && Enum.IsDefined(value)
                ? value
                : throw new FormatException($"MESH_WHEN_DELETED is '{deletion}'; it must be stay, stop or register.");
        }

        foreach (var (key, value) in Pairs("MESH_LABELS", variable("MESH_LABELS")))
        {
            options.Labels[key] = value;
        }

        foreach (var (name, value) in Pairs("MESH_PORTS", variable("MESH_PORTS")))
        {
            options.Ports[name] = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : throw new FormatException($"MESH_PORTS has '{name}={value}'; the port must be a number.");
        }
    }

    private static IEnumerable<(string Key, string Value)> Pairs(string variable, string? text)
    {
        foreach (var pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var split = pair.IndexOf('=', StringComparison.Ordinal);
            yield return split > 0
                ? (pair[..split], pair[(split + 1)..])
                : throw new FormatException($"{variable} has '{pair}'; it must be key=value pairs, joined by commas.");
        }
    }
}

namespace Mesh.Grains.Registry;

/// <summary>Keys of Pod registries, <c>namespace/shard</c>: one shard a namespace for now.</summary>
internal static class RegistryKeys
{
    public static string Of(string ns) => ns + "/0";

    public static string NamespaceOf(string key) => key[..Math.Max(0, key.IndexOf('/', StringComparison.Ordinal))];
}

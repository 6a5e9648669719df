namespace Mesh.Grains.Nodes;

/// <summary>Keys of Pod registries: one shard a namespace for now.</summary>
internal static class RegistryKeys
{
    public static string Of(string ns) => ns + "/0";
}

using Microsoft.Extensions.Configuration;

namespace Mesh.Client.Hosting;

/// <summary>Reads the options from the configuration of a host.</summary>
internal static class MeshSection
{
    public static void Read(IConfiguration configuration, MeshOptions options)
    {
        MeshSettings.Apply(options, Settings(configuration.GetSection(MeshSettings.Section)));

        // A host whose builder was not at hand has no such source, and its environment wins over all of its configuration.
        if (configuration is not IConfigurationRoot root || !root.Providers.Any(provider => provider is MeshVariables))
        {
            MeshSettings.Apply(options, MeshEnvironment.Settings(Environment.GetEnvironmentVariable));
        }
    }

    /// <summary>A section without a value of its own is only the way to those below it.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Settings(IConfigurationSection section) => section.GetChildren()
        .SelectMany(child => child.GetChildren().Any() ? Settings(child).Select(setting => new KeyValuePair<string, string?>($"{child.Key}:{setting.Key}", setting.Value)) : [new(child.Key, child.Value)]);
}

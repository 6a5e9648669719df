using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Mesh.Client.Hosting;

/// <summary><c>MESH_*</c> of the environment as a source of the section <c>Mesh</c>, so that they are seen wherever configuration is.</summary>
internal sealed class MeshVariables(Func<string, string?> variables) : ConfigurationProvider, IConfigurationSource
{
    private IConfigurationBuilder? _configuration;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load() =>
        Data = MeshEnvironment.Settings(variables)
            .GroupBy(setting => $"{MeshSettings.Section}:{setting.Key}", StringComparer.OrdinalIgnoreCase)
            .ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>As it is named in debug views.</summary>
    public override string ToString() => "MESH_* of the environment";

    /// <summary>
    /// Added as the last: a source that is put between others makes a <see cref="ConfigurationManager"/> build and load all of
    /// them again, which reads streams twice and loses what was set by key.
    /// </summary>
    public static void AddTo(IConfigurationManager configuration, Func<string, string?> variables)
    {
        if (!configuration.Sources.Any(source => source is MeshVariables))
        {
            configuration.Add(new MeshVariables(variables) { _configuration = configuration });
        }
    }

    /// <summary>As if it stood right after the other variables of the environment: it wins over files, and the command line over it.</summary>
    public override bool TryGet(string key, out string? value)
    {
        value = null;
        return Data.ContainsKey(key) && !StrongerProviders().Any(provider => provider.TryGet(key, out _)) && base.TryGet(key, out value);
    }

    /// <summary>Those of the sources between the last that is all of the environment and this one.</summary>
    private IEnumerable<IConfigurationProvider> StrongerProviders()
    {
        var sources = _configuration?.Sources.ToList() ?? [];
        var environment = sources.FindLastIndex(source => source is EnvironmentVariablesConfigurationSource { Prefix: null or "" });
        var providers = _configuration is IConfigurationRoot root ? root.Providers.ToList() : [];
        return environment < 0 || providers.Count != sources.Count ? [] : providers.Skip(environment + 1).TakeWhile(provider => provider != this);
    }
}

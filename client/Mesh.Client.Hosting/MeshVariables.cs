using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Mesh.Client.Hosting;

/// <summary><c>MESH_*</c> of the environment as a source of the section <c>Mesh</c>, so that they are seen wherever configuration is.</summary>
internal sealed class MeshVariables(Func<string, string?> variables) : ConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override void Load() =>
        Data = MeshEnvironment.Settings(variables)
            .GroupBy(setting => $"{MeshSection.Name}:{setting.Key}", StringComparer.OrdinalIgnoreCase)
            .ToDictionary(same => same.Key, same => same.Last().Value, StringComparer.OrdinalIgnoreCase);

    /// <summary>As it is named in debug views.</summary>
    public override string ToString() => "MESH_* of the environment";

    /// <summary>Right after the other variables of the environment: it wins over files, and the command line over it.</summary>
    public static void AddTo(IList<IConfigurationSource> sources, Func<string, string?> variables)
    {
        if (sources.Any(source => source is MeshVariables))
        {
            return;
        }

        var last = sources.Count - 1;
        while (last >= 0 && sources[last] is not EnvironmentVariablesConfigurationSource { Prefix: null or "" })
        {
            last--;
        }

        sources.Insert(last < 0 ? sources.Count : last + 1, new MeshVariables(variables));
    }
}

using System.Collections.Immutable;
using System.Reflection;
using System.Text;

namespace Mesh.Hosting.Options;

/// <summary>The texts of <c>--help</c> and <c>--version</c>.</summary>
public static class HelpText
{
    public static string Version =>
        typeof(HelpText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    public static string For(string program, string purpose, ImmutableArray<OptionDefinition> table)
    {
        var text = new StringBuilder();
        text.AppendLine(purpose).AppendLine().AppendLine($"Usage: {program} [--option value …]").AppendLine();
        foreach (var option in table)
        {
            var note = OptionTable.NotInThisVersion.Contains(option.Name) ? " (not in this version)"
                : option.Default.Length > 0 ? $" (default: {option.Default})" : "";
            text.AppendLine($"  {"--" + option.Name + " " + option.Value,-34} {option.Help}{note}");
        }

        if (OptionTable.IsOfSilo(table))
        {
            text.AppendLine($"  {"--stop",-34} end whatever runs on the data directory");
            foreach (var command in OptionTable.FileCommands)
            {
                text.AppendLine($"  {"--" + command.Name + " " + command.Value,-34} {command.Help}");
            }
        }

        return text.AppendLine($"  {"--help, --version",-34} print this, or the version")
            .AppendLine()
            .Append("Each option can also be set in the environment: --data-dir is MESH_DATA_DIR. The command line wins.")
            .ToString();
    }
}

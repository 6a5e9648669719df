using System.Collections;
using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Mesh.Hosting.Options;

/// <summary>The values given to a process, by option, each with the words that name its source in an error.</summary>
internal sealed class OptionSources
{
    private readonly Dictionary<string, (string Value, string Source)> _given = new(StringComparer.Ordinal);

    public HashSet<string> Switches { get; } = new(StringComparer.Ordinal);

    public (string Value, string Source)? Find(string name) =>
        _given.TryGetValue(name, out var given) ? given : null;

    /// <summary>Command line over environment over file. Null when all could be read; otherwise the one line to print.</summary>
    public static string? Read(
        IReadOnlyList<string> arguments,
        IDictionary environment,
        ImmutableArray<OptionDefinition> table,
        out OptionSources sources,
        ImmutableArray<OptionDefinition>? inFile = null)
    {
        sources = new OptionSources();
        if (sources.ReadCommandLine(arguments, table) is { } refusal)
        {
            return refusal;
        }

        foreach (var option in table)
        {
            if (environment[option.Variable] is string { Length: > 0 } value)
            {
                sources._given.TryAdd(option.Name, (value, option.Variable));
            }
        }

        return sources.Find("config") is { } file ? sources.ReadFile(file.Value, inFile ?? table) : null;
    }

    private string? ReadCommandLine(IReadOnlyList<string> arguments, ImmutableArray<OptionDefinition> table)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i] == "-h" ? "--help" : arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                return $"unexpected argument '{argument}': options are written --name value";
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            if (equals < 0 && OptionTable.Switches.Contains(name))
            {
                Switches.Add(name);
                continue;
            }

            if (!table.Any(option => option.Name == name) && !(OptionTable.IsOfSilo(table) && OptionTable.FileCommands.Any(command => command.Name == name)))
            {
                return $"unknown option --{name}{Nearest(name, table)}";
            }

            if (equals < 0 && i + 1 == arguments.Count)
            {
                return $"--{name} needs a value";
            }

            var value = equals < 0 ? arguments[++i] : argument[(equals + 1)..];
            if (value.Length == 0)
            {
                return $"--{name} needs a value";
            }

            if (!_given.TryAdd(name, (value, "--" + name)))
            {
                return $"--{name} is given twice";
            }
        }

        return null;
    }

    private string? ReadFile(string path, ImmutableArray<OptionDefinition> table)
    {
        Dictionary<string, object?>? values;
        try
        {
            values = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object?>>(File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"--config {path}: {failure.Message}";
        }
        catch (YamlException failure)
        {
            return $"--config {path}, line {failure.Start.Line}: not a map of option names to values";
        }

        foreach (var (name, value) in values ?? [])
        {
            if (name == "config" || !table.Any(option => option.Name == name))
            {
                return $"--config {path}: unknown option '{name}'{Nearest(name, table)}";
            }

            var text = value switch
            {
                string scalar => scalar,
                IEnumerable<object?> list when list.All(item => item is string) => string.Join(',', list),
                _ => null,
            };
            if (string.IsNullOrEmpty(text))
            {
                return $"--config {path}: '{name}' needs a value";
            }

            _given.TryAdd(name, (text, $"'{name}' in {path}"));
        }

        return null;
    }

    private static string Nearest(string name, ImmutableArray<OptionDefinition> table)
    {
        var nearest = table.FirstOrDefault(option =>
            option.Name.StartsWith(name, StringComparison.Ordinal)
            || option.Name.Replace("-", "", StringComparison.Ordinal) == name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal));
        return nearest is null ? "; --help lists them all" : $"; did you mean --{nearest.Name}?";
    }
}

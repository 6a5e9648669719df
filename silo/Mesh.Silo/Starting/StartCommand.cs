using System.Collections;
using System.Collections.Immutable;
using Mesh.Hosting.Options;

namespace Mesh.Silo.Starting;

/// <summary>The commands that start and stop this silo, to be pasted into any shell in any directory.</summary>
/// <param name="executable">Of this process.</param>
/// <param name="arguments">As they were given, the program's own name first.</param>
/// <param name="environment">What it does not name stands in the command.</param>
internal sealed class StartCommand(string? executable, IReadOnlyList<string> arguments, IDictionary environment, string directory)
{
    /// <summary>Whose values are paths, which mean something else in another directory.</summary>
    private static readonly ImmutableHashSet<string> Paths = ["data-dir", "config"];

    private readonly string[] _program = Program(executable, arguments, directory);

    public string Start(string dataDir)
    {
        var given = new List<string>();
        var named = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 1; i < arguments.Count; i++)
        {
            var (name, value) = arguments[i].Split('=', 2) is [var before, var after] ? (before[2..], after)
                : i + 1 < arguments.Count ? (arguments[i][2..], arguments[++i])
                : (arguments[i][2..], "");
            Add(name, value);
        }

        foreach (var option in OptionTable.Silo)
        {
            if (!named.Contains(option.Name) && environment[option.Variable] is string { Length: > 0 } value)
            {
                Add(option.Name, value);
            }
        }

        if (!named.Contains("data-dir"))
        {
            Add("data-dir", dataDir);
        }

        return Line([.. _program, .. given]);

        void Add(string name, string value)
        {
            named.Add(name);
            given.AddRange(["--" + name, Paths.Contains(name) ? Path.GetFullPath(value, directory) : value]);
        }
    }

    public string Stop(string dataDir) => Line([.. _program, "--stop", "--data-dir", dataDir]);

    /// <summary>As a shell takes it back.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=,@%+".Contains(c, StringComparison.Ordinal))
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    /// <summary>A program that was started as <c>dotnet mesh-silo.dll</c> is started so again.</summary>
    private static string[] Program(string? executable, IReadOnlyList<string> arguments, string directory) =>
        executable is null ? ["mesh-silo"]
        : Path.GetFileName(executable) == "dotnet" && arguments.Count > 0 ? [executable, Path.GetFullPath(arguments[0], directory)]
        : [executable];

    private static string Line(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));
}

using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>Documents say what the code does: metric names, links between documents, the form of a decision record.</summary>
internal static partial class DocumentRules
{
    private static readonly string[] Sections = ["## Context", "## Decision", "## Alternatives", "## Consequences"];

    public static IEnumerable<Rule> All =>
    [
        new(
            "Every metric stands in docs/metrics.md",
            tree => Instruments(tree).Except(Documented(tree)).Select(name => $"{name} is not documented"),
            [("src/Mesh.Planted/PlantedMetrics.cs", "meter.CreateCounter<long>(\"mesh.planted\");"), ("docs/metrics.md", "")]),
        new(
            "Every documented metric exists",
            tree => Documented(tree).Except(Instruments(tree)).Select(name => $"{name} does not exist"),
            [("docs/metrics.md", "| `mesh.planted` | Counter |")]),
        new(
            "A decision record has its four sections",
            tree => from file in Records(tree)
                    from section in Sections
                    where !tree.Read(file).Contains(section, StringComparison.Ordinal)
                    select $"{file}: {section}",
            [("docs/adr/0001-planted.md", "# Planted")]),
        new(
            "Decision records are numbered once",
            tree => from file in Records(tree)
                    group file by Path.GetFileName(file)[..4] into numbered
                    where numbered.Count() > 1 || !int.TryParse(numbered.Key, out _)
                    select string.Join(", ", numbered),
            [("docs/adr/0001-a.md", ""), ("docs/adr/0001-b.md", "")]),
        new(
            "Links between documents lead somewhere",
            BrokenLinks,
            [("README.md", "[gone](docs/gone.md)")]),
    ];

    private static IEnumerable<string> Instruments(SourceTree tree) =>
        (from file in tree.ProductCode()
         from match in Instrument().Matches(tree.Read(file))
         select match.Groups[1].Value).Distinct();

    private static IEnumerable<string> Documented(SourceTree tree) =>
        tree.Has("docs/metrics.md") ? MetricRow().Matches(tree.Read("docs/metrics.md")).Select(match => match.Groups[1].Value) : [];

    private static IEnumerable<string> Records(SourceTree tree) => Documents(tree, "docs/adr");

    private static IEnumerable<string> BrokenLinks(SourceTree tree) =>
        from file in Documents(tree, ".").Concat(Documents(tree, "docs")).Concat(Documents(tree, "docs/adr"))
        from match in Link().Matches(tree.Read(file))
        let target = match.Groups[1].Value
        let full = Path.Combine(tree.Root, Path.GetDirectoryName(file)!, target)
        where !File.Exists(full) && !Directory.Exists(full)
        select $"{file}: {target}";

    private static IEnumerable<string> Documents(SourceTree tree, string folder)
    {
        var full = Path.Combine(tree.Root, folder);
        return Directory.Exists(full)
            ? Directory.EnumerateFiles(full, "*.md").Select(file => Path.GetRelativePath(tree.Root, file).Replace('\\', '/')).Order()
            : [];
    }

    [GeneratedRegex(""""\.Create(?:Counter|Histogram|UpDownCounter|Gauge|Observable\w+)<\w+>\(\s*"([^"]+)"""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"^\| `([a-z][a-z0-9_.]+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();
}

using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>Holds project references against the table in <c>docs/architecture.md</c>.</summary>
internal static partial class ProjectReferences
{
    private const string Document = "docs/architecture.md";

    public static IEnumerable<Rule> All =>
    [
        new(
            "Projects reference what the table allows",
            Violations,
            [
                (Document, "| Project | Is | May reference |\n|---|---|---|\n| `src/Mesh.Planted` | planted | nothing |\n| `src/Mesh.Other` | other | nothing |\n"),
                ("src/Mesh.Planted/Mesh.Planted.csproj", "<ProjectReference Include=\"../Mesh.Other/Mesh.Other.csproj\" />"),
                ("src/Mesh.Other/Mesh.Other.csproj", ""),
            ]),
        new(
            "Every project stands in the table",
            Missing,
            [(Document, "| Project | Is | May reference |\n|---|---|---|\n"), ("src/Mesh.Planted/Mesh.Planted.csproj", "")]),
        new(
            "Core takes no package, and clients take no Orleans",
            ForbiddenPackages,
            [("src/Mesh.Core/Mesh.Core.csproj", "<PackageReference Include=\"Newtonsoft.Json\" />")]),
    ];

    private static IEnumerable<string> Violations(SourceTree tree)
    {
        var allowed = Table(tree);
        return from project in tree.Projects()
               where allowed.ContainsKey(Folder(project))
               from reference in Referenced(tree, project)
               where !allowed[Folder(project)].Contains(reference)
               select $"{Folder(project)} references {reference}";
    }

    private static IEnumerable<string> Missing(SourceTree tree)
    {
        var table = Table(tree);
        return from project in tree.Projects()
               where !project.StartsWith("tests/", StringComparison.Ordinal) && !table.ContainsKey(Folder(project))
               select $"{Folder(project)} is not in {Document}";
    }

    private static IEnumerable<string> ForbiddenPackages(SourceTree tree) =>
        from project in tree.Projects()
        from match in Package().Matches(tree.Read(project))
        let package = match.Groups[1].Value
        where project.StartsWith("src/Mesh.Core/", StringComparison.Ordinal)
            || (project.StartsWith("client/", StringComparison.Ordinal) && package.Contains("Orleans", StringComparison.Ordinal))
        select $"{project}: {package}";

    /// <summary>Rows <c>| `project` | one line | `a`, `b` |</c>: project name → what it may reference.</summary>
    private static Dictionary<string, HashSet<string>> Table(SourceTree tree) =>
        (from row in Row().Matches(tree.Has(Document) ? tree.Read(Document) : "")
         let references = Name().Matches(row.Groups[2].Value).Select(name => name.Groups[1].Value).ToHashSet()
         select (Project: Path.GetFileName(row.Groups[1].Value), references)).ToDictionary(row => row.Project, row => row.references);

    /// <summary>References that only order the build (nothing of the other project is used) do not count.</summary>
    private static IEnumerable<string> Referenced(SourceTree tree, string project) =>
        from match in Reference().Matches(tree.Read(project))
        where !match.Value.Contains("ReferenceOutputAssembly=\"false\"", StringComparison.Ordinal)
        select Path.GetFileNameWithoutExtension(match.Groups[1].Value);

    private static string Folder(string project) => Path.GetFileNameWithoutExtension(project);

    [GeneratedRegex(@"^\| `([^`/]+/[^`]+)` \|[^|]*\|([^|\n]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();

    [GeneratedRegex("""<ProjectReference Include="([^"]+)"[^>]*>""")]
    private static partial Regex Reference();

    [GeneratedRegex("""<PackageReference Include="([^"]+)""")]
    private static partial Regex Package();
}

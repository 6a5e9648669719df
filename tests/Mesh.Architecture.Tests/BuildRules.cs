using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>No project steps out of the build's rules: what <see cref="BuildTests"/> sees for two projects holds for all.</summary>
internal static partial class BuildRules
{
    private const string Project = "src/Mesh.Planted/Mesh.Planted.csproj";

    public static IEnumerable<Rule> All =>
    [
        new(
            "No project turns a rule of the build off",
            tree => from file in BuildFiles(tree)
                    from match in SwitchedOff().Matches(tree.Read(file))
                    select $"{file}: {match.Value}",
            [(Project, "<PropertyGroup><TreatWarningsAsErrors>false</TreatWarningsAsErrors></PropertyGroup>")]),
        new(
            "No project drops the banned symbols",
            tree => from file in BuildFiles(tree)
                    from match in DroppedSymbols().Matches(tree.Read(file))
                    select $"{file}: {match.Value}",
            [(Project, "<ItemGroup><AdditionalFiles Remove=\"../../BannedSymbols.txt\" /></ItemGroup>")]),
        new(
            "A warning that a project leaves out says why",
            tree => from file in BuildFiles(tree)
                    where BareNoWarn().IsMatch(tree.Read(file))
                    select file,
            [(Project, "<PropertyGroup>\n    <NoWarn>CA1416</NoWarn>\n  </PropertyGroup>")]),
        new(
            "Build files of a folder take those above",
            tree => from file in tree.BuildFiles("Directory.Build.props").Concat(tree.BuildFiles("Directory.Packages.props"))
                    where !tree.Read(file).Contains("<Import Project=\"../", StringComparison.Ordinal)
                    select file,
            [("tests/Directory.Build.props", "<Project/>")]),
        new(
            "No folder has an .editorconfig or global.json of its own",
            tree => tree.BuildFiles(".editorconfig").Concat(tree.BuildFiles("global.json")),
            [("src/Mesh.Planted/.editorconfig", "root = true")]),
        new(
            "Package versions stand in one place",
            tree => from file in BuildFiles(tree)
                    from match in OwnVersion().Matches(tree.Read(file))
                    select $"{file}: {match.Value}",
            [(Project, "<PackageReference Include=\"A\" Version=\"1.0.0\" />")]),
        new(
            "Every project has its lock file",
            tree => from project in tree.Projects()
                    let file = $"{Path.GetDirectoryName(project)}/packages.lock.json"
                    where !tree.Has(file)
                    select file,
            [(Project, "<Project/>")]),
        new(
            "The .editorconfig means what it says: nothing is a suggestion",
            tree => tree.Has(".editorconfig") ? Suggestion().Matches(tree.Read(".editorconfig")).Select(match => match.Value) : [],
            [(".editorconfig", "csharp_prefer_braces = true:suggestion\n")]),
    ];

    private static IEnumerable<string> BuildFiles(SourceTree tree) =>
        tree.Projects().Concat(tree.BuildFiles("Directory.Build.props")).Concat(tree.BuildFiles("*.targets"));

    [GeneratedRegex("<(TreatWarningsAsErrors|EnforceCodeStyleInBuild|AnalysisLevel|AnalysisMode|Nullable|WarningsNotAsErrors|RunAnalyzers\\w*|EnableNETAnalyzers|ManagePackageVersionsCentrally|CentralPackageTransitivePinningEnabled)>[^<]*")]
    private static partial Regex SwitchedOff();

    [GeneratedRegex("<(AdditionalFiles|PackageReference|Analyzer) (Remove|Update)=\"[^\"]*\"")]
    private static partial Regex DroppedSymbols();

    [GeneratedRegex(@"(?<!-->\s*)<NoWarn>")]
    private static partial Regex BareNoWarn();

    [GeneratedRegex("<PackageReference [^>]*Version(Override)?=\"[^\"]*\"")]
    private static partial Regex OwnVersion();

    [GeneratedRegex(@"^.*(:\s*|=\s*)(suggestion|silent|warning)\s*$", RegexOptions.Multiline)]
    private static partial Regex Suggestion();
}

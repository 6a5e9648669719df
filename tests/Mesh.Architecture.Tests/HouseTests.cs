using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.Architecture.Tests;

/// <summary>Holds every rule against this repository, and each rule against a file that breaks it.</summary>
public sealed class HouseTests
{
    public static TheoryData<string> Rules => [.. All.Select(rule => rule.Name)];

    private static IEnumerable<Rule> All => [.. BuildRules.All, .. CodeRules.All, .. TestRules.All, .. ProjectReferences.All, .. DocumentRules.All];

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_repository_keeps_the_rule(string rule) =>
        Assert.Empty(Named(rule).Violations(SourceTree.OfThisRepository()));

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_rule_finds_a_planted_violation(string rule)
    {
        var root = new DirectoryInfo(TestDirectory.Make("mesh-architecture-"));
        try
        {
            foreach (var (file, content) in Named(rule).Planted)
            {
                var full = Path.Combine(root.FullName, file);
                Directory.CreateDirectory(Path.GetDirectoryName(full)!);
                File.WriteAllText(full, content);
            }

            Assert.NotEmpty(Named(rule).Violations(new SourceTree(root.FullName)));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static Rule Named(string name) => All.Single(rule => rule.Name == name);
}

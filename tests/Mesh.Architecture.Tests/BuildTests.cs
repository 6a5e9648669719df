using Xunit;

namespace Mesh.Architecture.Tests;

/// <summary>The build refuses what it must: each rule is seen to fail on a planted file, with this repository's own build files.</summary>
public sealed class BuildTests(PlantedBuild build) : IClassFixture<PlantedBuild>
{
    public static TheoryData<string, string> Refused =>
        [.. PlantedCode.All.Where(file => file.Code.Length > 0).Select(file => new TheoryDataRow<string, string>(file.Name, file.Code))];

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_planted_file_fails_the_build(string file, string code)
    {
        Assert.True(build.ExitCode != 0 && build.Errors.Count > 0, build.Output);
        Assert.Contains(code, build.Errors.Where(error => error.StartsWith($"{file}.cs ", StringComparison.Ordinal)).Select(error => error[(file.Length + 4)..]));
    }

    [Fact]
    public void A_clean_file_passes() =>
        Assert.DoesNotContain(build.Errors, error => error.StartsWith("Clean", StringComparison.Ordinal));

    [Theory]
    [InlineData("BannedSymbols.txt")]
    [InlineData("BannedSymbols.Product.txt")]
    [InlineData("BannedSymbols.Core.txt")]
    public void Every_banned_symbol_is_planted_and_names_its_remedy(string file)
    {
        var lines = SourceTree.OfThisRepository().Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(';', 2)).ToList();

        Assert.Equal(lines.Select(line => line[0]).Order(), PlantedCode.BannedBy[file].Keys.Order());
        Assert.All(lines, line => Assert.NotEmpty(line[1].Trim()));
    }
}

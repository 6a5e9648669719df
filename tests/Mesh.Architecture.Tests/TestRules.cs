using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>Rules for the tests themselves.</summary>
internal static partial class TestRules
{
    public static IEnumerable<Rule> All =>
    [
        new(
            "Every asynchronous test has a deadline",
            AsynchronousWithoutTimeout,
            [("tests/Mesh.Planted.Tests/A.cs", "[Fact]\n    public async Task It_waits()\n")]),
        new(
            "Tests do not sleep",
            tree => from file in tree.TestCode()
                    where !Waits.Contains(file) && !file.StartsWith("tests/Mesh.Architecture.Tests/", StringComparison.Ordinal)
                    where Sleep().IsMatch(tree.Read(file))
                    select file,
            [("tests/Mesh.Planted.Tests/A.cs", "await Task." + "Delay(TimeSpan.FromSeconds(1), time);")]),
        new(
            "Rows of a reference are named with its prefix",
            tree => from file in tree.TestCode()
                    where !file.StartsWith("tests/Mesh.Architecture.Tests/", StringComparison.Ordinal)
                    from match in RowTrait().Matches(tree.Read(file))
                    where !RowId().IsMatch(match.Groups[1].Value)
                    select $"{file}: {match.Groups[1].Value}",
            [("tests/Mesh.Planted.Tests/A.cs", "[Trait(\"Row\", \"N01\")]")]),
        new(
            "What a test makes or starts does not outlive it: TestDirectory.Make, and Caretaker.Mind where a process is started",
            tree => from file in tree.TestCode()
                    where !file.StartsWith("tests/Mesh.Benchmarks/", StringComparison.Ordinal) && !file.StartsWith("tests/Mesh.Testing/", StringComparison.Ordinal)
                    let code = tree.Read(file)
                    where TemporaryDirectory().IsMatch(code) || (ProcessStart().IsMatch(code) && !code.Contains("Caretaker.Mind(", StringComparison.Ordinal) && !StartsNothingThatStays.Contains(file))
                    select file,
            [
                ("tests/Mesh.Planted.Tests/A.cs", "Directory.CreateTemp" + "Subdirectory(\"a-\")"),
                ("tests/Mesh.Planted.Tests/B.cs", "Process.Start" + "(\"curl\")"),
            ]),
        new(
            "Each background loop has a test that plants an exception in it, and carries the loop's name",
            LoopsWithoutTest,
            [
                ("src/Mesh.Planted/A.cs", "        _loop = loops.RunAsync(\"planted\", RunAsync, _stop.Token);"),
                ("tests/Mesh.Planted.Tests/A.cs", "[Trait(\"Loop\", \"another\")]"),
            ]),
        new(
            "A skipped test says why",
            tree => from file in tree.TestCode()
                    where EmptySkip().IsMatch(tree.Read(file))
                    select file,
            [("tests/Mesh.Planted.Tests/A.cs", "[Fact(Skip = " + "\"\")]")]),
    ];

    /// <summary>The one place that polls (with a provider), and the load generators of the benchmarks, which pace themselves.</summary>
    private static readonly string[] Waits = ["tests/Mesh.Testing/Eventually.cs"];

    /// <summary>Programs that end by themselves at once, or name the test's directory and end with it.</summary>
    private static readonly string[] StartsNothingThatStays =
    [
        "tests/Mesh.Storage.Tests/DataDirectoryLockTests.cs",
        "tests/Mesh.Storage.Tests/Killed/SyncTests.cs",
        "tests/Mesh.Storage.Tests/Killed/WriterProcess.cs",
    ];

    private static IEnumerable<string> AsynchronousWithoutTimeout(SourceTree tree) =>
        from file in tree.TestCode()
        from match in AsynchronousTest().Matches(tree.Read(file))
        where !match.Groups[1].Value.Contains("Timeout", StringComparison.Ordinal)
        select $"{file}: {match.Groups[2].Value}";

    /// <summary>Both ways: a loop without a test, and a test of what is no loop any more.</summary>
    private static IEnumerable<string> LoopsWithoutTest(SourceTree tree)
    {
        var loops = tree.ProductCode().SelectMany(file => LoopName().Matches(tree.Read(file)).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        var tested = tree.TestCode().Where(static file => !file.StartsWith("tests/Mesh.Architecture.Tests/", StringComparison.Ordinal))
            .SelectMany(file => LoopTrait().Matches(tree.Read(file)).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        return loops.Except(tested).Select(static loop => $"{loop}: no test").Concat(tested.Except(loops).Select(static loop => $"{loop}: no loop"));
    }

    // Where it is begun: of ProcessLoops, or by the two who begin several (a gateway grain, the Agent).
    [GeneratedRegex("""(?:[lL]oops(?:>\(\))?\.Run(?:ToEnd|OrEndProcess)?Async|\bClientLoop\.RunAsync|\bOwn|\b_?tasks\.Begin)\(\$?"([^"]+)"[,)]""")]
    private static partial Regex LoopName();

    [GeneratedRegex("""\[Trait\("Loop", "([^"]+)"\)\]""")]
    private static partial Regex LoopTrait();

    [GeneratedRegex(@"\[((?:Fact|Theory)[^\n]*)\]\s*\n(?:\s*\[[^\n]*\]\s*\n)*\s*public async \w+ (\w+)\(")]
    private static partial Regex AsynchronousTest();

    [GeneratedRegex(@"\bTask\.Delay\(|\bThread\.Sleep\(")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\bCreateTempSubdirectory\(|\bGetTempPath\(")]
    private static partial Regex TemporaryDirectory();

    [GeneratedRegex(@"\bProcess\.Start\(")]
    private static partial Regex ProcessStart();

    [GeneratedRegex("""\[Trait\("Row", "([^"]*)"\)\]""")]
    private static partial Regex RowTrait();

    [GeneratedRegex(@"^(SVC|ING|REL|ECO|ORL|CP|DP|S|R)-[A-Za-z0-9.]+$")]
    private static partial Regex RowId();

    [GeneratedRegex("""Skip = "\s*"|Assert\.Skip(When|Unless)?\((""|[^;]*, "")\)""")]
    private static partial Regex EmptySkip();
}

using System.Text;
using Mesh.Testing;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Starting;

/// <summary>Whoever runs the tests finds nothing of them the next day, however they ended.</summary>
public sealed class NothingIsLeftTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // Side by side: one of them waits for its time-out all the while.
    [Fact(Timeout = 300_000)]
    public Task A_test_that_fails_leaves_no_process_and_no_directory() => Task.WhenAll(
        LeavesNothingAsync(nameof(PlantedFailure.Throws)),
        LeavesNothingAsync(nameof(PlantedFailure.Is_given_up_by_its_time_out)),
        LeavesNothingAsync(nameof(PlantedFailure.Is_killed_with_its_process)));

    private static async Task LeavesNothingAsync(string planted)
    {
        var directory = TestDirectory.Make("mesh-planted-");
        await using var tests = ProcessUnderTest.Start(
            Environment.ProcessPath!,
            ["-explicit", "only", "-method", $"{typeof(PlantedFailure).FullName}.{planted}"],
            new Dictionary<string, string> { ["TMPDIR"] = directory });
        var seen = 0;
        var ended = tests.WaitForExitAsync(Stop);
        await Eventually.Is($"the planted test {planted} has ended", () => { seen = Math.Max(seen, Descendants(directory).Count); return ended.IsCompleted; }, true, TimeSpan.FromSeconds(120));

        Assert.NotEqual(0, await ended);
        Assert.InRange(seen, 2, int.MaxValue); // at least mesh-silo and mesh-node were there
        await Eventually.Is($"processes that {planted} left", () => string.Join(' ', Descendants(directory)), "", TimeSpan.FromSeconds(60));
        await Eventually.Is($"directories that {planted} left", () => string.Join(' ', Directory.GetDirectories(directory)), "", TimeSpan.FromSeconds(60));
    }

    /// <summary>The programs that were started with this directory for temporary files, at whatever distance.</summary>
    private static List<string> Descendants(string directory) =>
    [
        .. from process in Directory.EnumerateDirectories("/proc")
           where int.TryParse(Path.GetFileName(process), out _)
           let environment = Read(process, "environ")
           where environment.Split('\0').Contains($"TMPDIR={directory}")
           let command = Read(process, "cmdline").Replace('\0', ' ')
           where command.Contains("mesh-silo", StringComparison.Ordinal) || command.Contains("mesh-node", StringComparison.Ordinal) || command.Contains("Soup", StringComparison.Ordinal)
           select $"{Path.GetFileName(process)} {command}",
    ];

    private static string Read(string process, string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, file)));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}

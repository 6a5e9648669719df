using System.Diagnostics;
using Mesh.Testing;
using Mesh.Testing.Processes;

namespace Mesh.EndToEnd.Tests.Survival;

/// <summary>A node's journal that has what its silo told: it is written within a second, and then the file no longer grows.</summary>
internal static class WrittenJournal
{
    public static async Task OfAsync(SiloUnderTest machine)
    {
        var journal = Path.Combine(machine.DataDir, "node.journal");
        var (length, since) = (-1L, Stopwatch.GetTimestamp());
        await Eventually.Meets(
            "the journal is written",
            _ =>
            {
                var now = new FileInfo(journal).Length;
                (length, since) = now == length ? (length, since) : (now, Stopwatch.GetTimestamp());
                return Task.FromResult(Stopwatch.GetElapsedTime(since));
            },
            quiet => quiet > TimeSpan.FromSeconds(1.5),
            TimeSpan.FromSeconds(60));
    }
}

using Mesh.Testing.Processes;

namespace Mesh.Storage.Tests.Killed;

public sealed class KilledWriterTests
{
    private const int Kills = 100;

    // Each kill comes at another moment: after so many acknowledgements, between one transaction and another or inside one.
    private const int MostAcknowledgements = 120;

    [Fact(Timeout = 180_000)]
    [Trait("Row", "REL-FI21")]
    [Trait("Row", "REL-A60")]
    public async Task No_acknowledged_commit_is_lost_by_a_hundred_kills()
    {
        var stop = TestContext.Current.CancellationToken;
        var directory = TestDirectory.Make("mesh-killed-");
        var random = new Random(20_260_101);
        var ledger = new Ledger();
        var next = WriterProcess.Start(directory);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var running = next;
            next = WriterProcess.Start(directory); // starts up meanwhile, and waits
            running.Go();
            var lines = new List<string>();
            for (var left = random.Next(1, MostAcknowledgements); left > 0; left--)
            {
                lines.Add(await running.NextLineAsync(stop));
            }

            lines.AddRange(await running.KillAsync(stop));
            ledger.Remember(lines);
            ledger.Check(directory);
        }

        next.Dispose();
        Assert.All(ledger.Acknowledged, count => Assert.True(count > 0));
        Directory.Delete(directory, recursive: true);
    }
}

using System.Diagnostics.Metrics;

namespace Mesh.Storage;

internal static class StorageMetrics
{
    private static readonly Meter Meter = new("Mesh.Storage");

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "mesh.store.transaction.duration", "s", "From taking a group of commits to the sync of its transaction.");

    private static readonly Histogram<int> Group = Meter.CreateHistogram<int>(
        "mesh.store.transaction.commits", "{commit}", "Commits that shared one transaction.");

    public static void Committed(int commits, TimeSpan took)
    {
        Duration.Record(took.TotalSeconds);
        Group.Record(commits);
    }
}

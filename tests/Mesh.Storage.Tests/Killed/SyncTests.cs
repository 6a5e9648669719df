using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Mesh.Storage.Sqlite;
using Mesh.Testing.Processes;
using Microsoft.Data.Sqlite;

namespace Mesh.Storage.Tests.Killed;

public sealed partial class SyncTests
{
    private const int Deadline = 60_000;
    private const int Lines = 300;

    [Fact]
    public void The_writing_connection_has_synchronous_FULL()
    {
        var directory = TestDirectory.Make("mesh-sync-");
        using var database = new SqliteDatabase(new SqliteStoreOptions { DataDirectory = directory });
        using (var writer = database.OpenWriter(create: true))
        {
            Assert.Equal(2L, Pragma(writer, "synchronous"));
            Assert.Equal("wal", Pragma(writer, "journal_mode"));
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact(Timeout = Deadline)]
    public async Task The_log_is_synced_once_for_each_group_and_before_its_acknowledgements()
    {
        var stop = TestContext.Current.CancellationToken;
        SkipWithoutStrace();
        var directory = TestDirectory.Make("mesh-sync-");
        var trace = Path.Combine(directory, "trace");
        using (var writer = WriterProcess.Start(directory, "strace", "-f", "-y", "-s", "64", "-e", "trace=fsync,fdatasync,write", "-o", trace))
        {
            await RunAsync(writer, new Ledger(), stop);
        }

        var (syncs, synced, groups, acknowledgements) = (0, 0L, 0, 0);
        var lines = await File.ReadAllLinesAsync(trace, stop);
        var committing = ThreadOf(lines.First(line => GroupLine().IsMatch(line)));
        foreach (var line in lines)
        {
            if (SyncOfLog().IsMatch(line) && (groups == 0 || ThreadOf(line) == committing))
            {
                syncs++;
            }
            else if (GroupLine().Match(line) is { Success: true } group)
            {
                // Before the first group the store was made, which synced too.
                Assert.True(groups == 0 ? syncs > 0 : syncs == 1, $"{syncs} syncs before: {line}");
                (syncs, synced, groups) = (0, Version(group), groups + 1);
            }
            else if (AcknowledgementLine().Match(line) is { Success: true } acknowledgement)
            {
                Assert.InRange(Version(acknowledgement), 1, synced);
                acknowledgements++;
            }
        }

        Assert.True(groups > 1 && acknowledgements > groups, $"{groups} groups, {acknowledgements} acknowledgements");
        Directory.Delete(directory, recursive: true);
    }

    [Fact(Timeout = Deadline)]
    [Trait("Row", "REL-A45")]
    [Trait("Row", "REL-FI23")]
    public async Task A_sync_that_fails_is_answered_as_unknown_and_nothing_acknowledged_is_lost()
    {
        var stop = TestContext.Current.CancellationToken;
        SkipWithoutStrace();
        var directory = TestDirectory.Make("mesh-sync-");
        var ledger = new Ledger();

        // Counted for each thread: opening the store takes fewer, and the committing loop's twentieth is its twentieth transaction.
        using (var writer = WriterProcess.Start(
            directory, "strace", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=20"))
        {
            var told = await RunAsync(writer, ledger, stop);
            Assert.Contains(told, line => line.StartsWith(Writer.Unknown, StringComparison.Ordinal));
        }

        ledger.Check(directory);
        Assert.All(ledger.Acknowledged, count => Assert.True(count > 0));
        Directory.Delete(directory, recursive: true);
    }

    [Fact(Timeout = Deadline)]
    public async Task The_committing_thread_neither_copies_the_log_into_the_store_nor_writes_the_run_mark()
    {
        const int ManyLines = 4_000;
        var stop = TestContext.Current.CancellationToken;
        SkipWithoutStrace();
        var directory = TestDirectory.Make("mesh-sync-");
        var trace = Path.Combine(directory, "trace");
        using (var writer = WriterProcess.Start(directory, "strace", "-f", "-y", "-s", "16", "-e", "trace=write,pwrite64,rename", "-o", trace))
        {
            await RunAsync(writer, new Ledger(), stop, told => told >= ManyLines && told % 1_000 == 0 && IsCopied(trace));
        }

        var lines = await File.ReadAllLinesAsync(trace, stop);
        var first = Array.FindIndex(lines, line => GroupLine().IsMatch(line));
        var committing = ThreadOf(lines[first]);
        var others = lines[first..].Where(line => ThreadOf(line) != committing && CopyOfLog().IsMatch(line));
        var own = lines[first..].Where(line => ThreadOf(line) == committing && (CopyOfLog().IsMatch(line) || line.Contains("rename(", StringComparison.Ordinal)));

        Assert.NotEmpty(others);
        Assert.Empty(own);
        Directory.Delete(directory, recursive: true);
    }

    private static async Task<IReadOnlyList<string>> RunAsync(WriterProcess writer, Ledger ledger, CancellationToken stop, Func<int, bool>? isEnough = null)
    {
        writer.Go();
        var told = new List<string>();
        isEnough ??= static lines => lines >= Lines;
        while (!isEnough(told.Count))
        {
            told.Add(await writer.NextLineAsync(stop));
        }

        told.AddRange(await writer.KillAsync(stop));
        ledger.Remember(told);
        return told;
    }

    /// <summary>By whichever thread: how many pages a line is worth depends on the size of the groups.</summary>
    private static bool IsCopied(string trace) =>
        File.ReadLines(trace).SkipWhile(line => !GroupLine().IsMatch(line)).Any(line => CopyOfLog().IsMatch(line));

    private static void SkipWithoutStrace()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        using var attempt = Process.Start(new ProcessStartInfo("strace", ["-f", "-o", "/dev/null", "true"]) { RedirectStandardError = true })!;
        attempt.WaitForExit();
        Assert.SkipUnless(attempt.ExitCode == 0, "strace may not trace processes here");
    }

    private static string ThreadOf(string line) => line[..line.IndexOf(' ', StringComparison.Ordinal)];

    private static object? Pragma(SqliteConnection connection, string name)
    {
        using var read = connection.CreateCommand();
        read.CommandText = $"PRAGMA {name}";
        return read.ExecuteScalar();
    }

    private static long Version(Match line) => long.Parse(line.Groups["version"].Value, CultureInfo.InvariantCulture);

    /// <summary>A sync counts when it returned; strace splits a call that others overtake.</summary>
    [GeneratedRegex(@"f(data)?sync\(\d+<[^>]*mesh\.db-wal>\) += 0|<\.\.\. f(data)?sync resumed>\) += 0")]
    private static partial Regex SyncOfLog();

    [GeneratedRegex(@"pwrite64\(\d+<[^>]*mesh\.db>")]
    private static partial Regex CopyOfLog();

    [GeneratedRegex("""write\(\d+<[^>]*>, "group (?<version>\d+)\\n""")]
    private static partial Regex GroupLine();

    [GeneratedRegex("""write\(\d+<[^>]*>, "\d+ \d+ (?<version>\d+)\\n""")]
    private static partial Regex AcknowledgementLine();
}

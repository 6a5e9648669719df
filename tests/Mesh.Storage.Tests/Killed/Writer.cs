using System.Globalization;
using System.Text;
using Mesh.Core.Names;
using Mesh.Storage.Sqlite;
using Mesh.Testing;
using Mesh.Testing.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Storage.Tests.Killed;

/// <summary>
/// The process that is killed: once a line comes on its input it opens the store, and twenty writers count up, each in
/// both objects of its pair by one commit, and tell each acknowledgement on its output; between the sync of a transaction and
/// its acknowledgements stands a line that names its last resourceVersion.
/// </summary>
internal static class Writer
{
    public const string Argument = "writer";
    public const string Group = "group";
    public const string Unknown = "unknown";
    public const int Writers = 20;

    public static async Task<int> RunAsync(string directory)
    {
        await Console.In.ReadLineAsync();
        await using var store = new SqliteStore(
            new SqliteStoreOptions { DataDirectory = directory }, WatchedLoops.Unwatched(), TestClock.Machine, NullLogger<SqliteStore>.Instance);
        await store.StartAsync(CancellationToken.None);
        await using var output = Console.OpenStandardOutput();
        using var groups = store.Follow(page => Tell(output, $"{Group} {page.Through.Version}"));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => CountAsync(store, output, writer)));
        return 0;
    }

    public static ObjectKey Left(int writer) => new("", "Count", "left", Name(writer));

    public static ObjectKey Right(int writer) => new("", "Count", "right", Name(writer));

    /// <summary>What a document counts: its uid is the number.</summary>
    public static long CountOf(StoredObject? stored) => stored is null ? 0 : long.Parse(stored.Uid, CultureInfo.InvariantCulture);

    private static string Name(int writer) => string.Create(CultureInfo.InvariantCulture, $"w{writer}");

    private static async Task CountAsync(SqliteStore store, Stream output, int writer)
    {
        var left = await store.ReadAsync(Left(writer), CancellationToken.None);
        while (true)
        {
            var count = CountOf(left) + 1;
            var document = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$$"""{"metadata":{"uid":"{{{count}}}"}}"""));
            var expected = left is null ? Precondition.Absence : new Precondition.Is(left.ResourceVersion);
            try
            {
                var outcome = await store.CommitAsync(
                    [new Write.Put(Left(writer), document, expected), new Write.Put(Right(writer), document, Precondition.None)],
                    CommitClass.Request,
                    CancellationToken.None);
                left = ((CommitOutcome.Committed)outcome).Objects[0];
                Tell(output, $"{writer} {count} {left!.ResourceVersion}");
            }
            catch (CommitOutcomeUnknownException)
            {
                Tell(output, $"{Unknown} {writer}");
                left = await store.ReadAsync(Left(writer), CancellationToken.None);
            }
        }
    }

    /// <summary>In one write, so that a line that came out is whole.</summary>
    private static void Tell(Stream output, FormattableString line) =>
        output.Write(Encoding.ASCII.GetBytes(line.ToString(CultureInfo.InvariantCulture) + "\n"));
}

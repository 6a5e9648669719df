using System.Collections.Immutable;
using Google.Protobuf;
using Mesh.Core.Routing;
using Mesh.Loops;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.Journal;

/// <summary>
/// What a node needs to route and to hold its registrations again after its own restart, with every silo gone: an
/// append-only file of link messages. A torn tail is cut; everything before it counts.
/// </summary>
/// <remarks>
/// Only a start of the node is synced to the disk. A registration is in the kernel's hands before it is answered, which
/// outlives the node process; what only a sync outlives, a loss of power, ends the registered processes too, and their
/// boot id voids them.
/// </remarks>
public sealed class NodeJournal : IRegistrationJournal, IAsyncDisposable
{
    /// <summary>Changes wait at most this long for the disk: a silo tells them again anyway.</summary>
    internal static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    private readonly JournalWriter _writer;
    private readonly string _bootId;
    private readonly TimeProvider _time;

    private NodeJournal(JournalWriter writer, JournalContents contents, bool isTorn, string bootId, TimeProvider time)
    {
        _writer = writer;
        _bootId = bootId;
        _time = time;
        Incarnation = contents.Incarnation + 1;
        Options = contents.Options;
        Changes = contents.Changes;
        Registrations = contents.Registrations;
        IsProvisional = isTorn || Options is null;
    }

    /// <summary>Numbers this start of the node; greater than every one before, and on disk.</summary>
    public uint Incarnation { get; }

    /// <summary>No silo has answered what this journal holds, or it was damaged: an earlier start may have had this number.</summary>
    public bool IsProvisional { get; }

    /// <summary>The options that the node last ran with; null in a new data directory.</summary>
    public NodeOptions? Options { get; }

    /// <summary>What the last run routed by.</summary>
    public ImmutableArray<RoutingChange> Changes { get; }

    /// <summary>What was registered when the last run ended.</summary>
    public ImmutableArray<Registration> Registrations { get; }

    /// <param name="path">Of <c>node.journal</c> in the data directory, whose lock the caller holds.</param>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static NodeJournal Open(string path, string bootId, ProcessLoops loops, TimeProvider time, ILogger<NodeJournal> logger) =>
        Open(path, bootId, loops, time, logger, JournalFile.Open);

    /// <exception cref="IOException">The file cannot be read or written.</exception>
    internal static NodeJournal Open(string path, string bootId, ProcessLoops loops, TimeProvider time, ILogger<NodeJournal> logger, Func<string, FileMode, FileStream> open)
    {
#pragma warning disable CA2000 // the journal's, or disposed below
        var file = new JournalFile(path, open);
#pragma warning restore CA2000
        try
        {
            var (state, bytes) = (new JournalState(), file.ReadAll());
            var whole = JournalContents.Apply(bytes, state);
            if (whole < bytes.Length)
            {
                logger.JournalTorn(path, bytes.Length - whole);
            }

            file.ContinueAt(whole);
            var journal = new NodeJournal(
                new JournalWriter(path, file, state, loops, time, logger), JournalContents.Of(state, logger), whole < bytes.Length, bootId, time);
            journal.Count(journal.Incarnation);
            return journal;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The next start is numbered above this; on disk when it completes.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public Task CountFromAsync(uint incarnation) => Task.Run(() => Count(incarnation));

    /// <summary>The options of a Welcome.</summary>
    public void Keep(NodeOptions options)
    {
        var document = NodeOptionsDocument.Write(options);
        var welcome = new Welcome { Options = UnsafeByteOperations.UnsafeWrap(document), OptionsHash = NodeOptionsDocument.Hash(document) };
        _writer.Put([new JournalRecord { Welcome = welcome }]);
    }

    /// <summary>A new link: what it does not tell again up to its first synced change is dropped.</summary>
    public void BeginResync() => _writer.BeginResync();

    /// <summary>What the silo told. Written within <see cref="FlushEvery"/>.</summary>
    public void Keep(ImmutableArray<RoutingChange> changes, bool synced) => _writer.Put(changes.SelectMany(JournalChanges.Records), synced);

    public async ValueTask WriteAsync(Registration registration, CancellationToken stop) =>
        await _writer.WriteAsync(new JournalRecord { Registration = registration }, stop);

    public async ValueTask EndAsync(string uid, CancellationToken stop)
    {
        try
        {
            await _writer.WriteAsync(JournalWriter.Ended(uid), stop);
        }
        catch (IOException)
        {
            // It is part of the state: the file is rewritten as soon as the disk takes it.
        }
    }

    /// <summary>Writes what waits, and compacts, until stopped. Its owner runs it again when an exception ended it; nothing that waits is lost.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(FlushEvery, _time);
        while (await tick.WaitForNextTickAsync(stop)) // the last changes are written by DisposeAsync
        {
            Flush();
        }
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    /// <summary>What waits is written and, when the file has grown beyond twice what it says, it is rewritten.</summary>
    internal void Flush() => _writer.Flush();

    private void Count(uint incarnation) => _writer.WriteSynced(new JournalRecord { Started = new Started { Incarnation = incarnation, BootId = _bootId } });
}

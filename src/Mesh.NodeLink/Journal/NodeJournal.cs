using System.Buffers;
using System.Collections.Immutable;
using Google.Protobuf;
using Mesh.Core.Routing;
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

    private const int FlushAt = 4 << 20;
    private const int NeverCompactBelow = 256 << 10;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _pending = new();
    private readonly JournalState _state = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private FileStream _file;
    private string _bootId = "";
    private long _length;
    private ArrayBufferWriter<byte>? _meanwhile; // what is written while the file is rewritten
    private bool _mustRewrite;

    private NodeJournal(string path, FileStream file, TimeProvider time, ILogger logger)
    {
        _path = path;
        _file = file;
        _time = time;
        _logger = logger;
    }

    /// <summary>Numbers this start of the node; greater than every one before, and on disk.</summary>
    public uint Incarnation { get; private set; }

    /// <summary>No silo has answered what this journal holds, or it was damaged: an earlier start may have had this number.</summary>
    public bool IsProvisional { get; private set; }

    /// <summary>The options that the node last ran with; null in a new data directory.</summary>
    public NodeOptions? Options { get; private set; }

    /// <summary>What the last run routed by.</summary>
    public ImmutableArray<RoutingChange> Changes { get; private set; } = [];

    /// <summary>What was registered when the last run ended.</summary>
    public ImmutableArray<Registration> Registrations { get; private set; } = [];

    /// <param name="path">Of <c>node.journal</c> in the data directory, whose lock the caller holds.</param>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static NodeJournal Open(string path, string bootId, TimeProvider time, ILogger<NodeJournal> logger)
    {
        var journal = new NodeJournal(path, OpenFile(path, FileMode.OpenOrCreate), time, logger);
        try
        {
            journal.Load();
            journal.Start(bootId);
            return journal;
        }
        catch
        {
            journal._file.Dispose();
            throw;
        }
    }

    /// <summary>The next start is numbered above this; on disk when it returns.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void CountFrom(uint incarnation)
    {
        lock (_gate)
        {
            Count(incarnation);
        }
    }

    /// <summary>The options of a Welcome.</summary>
    public void Keep(NodeOptions options)
    {
        var document = NodeOptionsDocument.Write(options);
        var welcome = new Welcome { Options = UnsafeByteOperations.UnsafeWrap(document), OptionsHash = NodeOptionsDocument.Hash(document) };
        lock (_gate)
        {
            Append(new JournalRecord { Welcome = welcome });
        }
    }

    /// <summary>A new link: what it does not tell again up to its first synced change is dropped.</summary>
    public void BeginResync()
    {
        lock (_gate)
        {
            _state.BeginResync();
        }
    }

    /// <summary>What the silo told. Written within <see cref="FlushEvery"/>.</summary>
    public void Keep(ImmutableArray<RoutingChange> changes, bool synced)
    {
        lock (_gate)
        {
            foreach (var record in changes.SelectMany(JournalChanges.Records))
            {
                Append(record);
            }

            foreach (var gone in synced ? _state.DropUntold() : [])
            {
                JournalFrame.Write(_pending, gone);
            }
        }
    }

    public ValueTask WriteAsync(Registration registration, CancellationToken stop) => WriteNow(new JournalRecord { Registration = registration });

    public ValueTask EndAsync(string uid, CancellationToken stop)
    {
        var record = new JournalRecord { RegistrationEnded = new RegistrationEnded { Uid = uid } };
        lock (_gate)
        {
            Append(record);
            WritePending();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Writes what waits, and compacts, until stopped. Its owner awaits it.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var tick = new PeriodicTimer(FlushEvery, _time);
        try
        {
            while (await tick.WaitForNextTickAsync(stop))
            {
                Flush();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The last changes are written by DisposeAsync.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Flush();
        await _file.DisposeAsync();
    }

    /// <summary>Written and, when the file has grown beyond twice what it says, rewritten. A disk that is full heals by itself.</summary>
    internal void Flush()
    {
        List<Func<JournalRecord>> records;
        lock (_gate)
        {
            WritePending();
            if (!_mustRewrite && _length <= Math.Max(2 * _state.Size, NeverCompactBelow))
            {
                return;
            }

            records = _state.Copy();
            _meanwhile = new ArrayBufferWriter<byte>();
            _mustRewrite = false; // what fails from here on is not among the records
        }

        try
        {
            Rewrite(records);
        }
        catch (Exception failed) when (IsDisk(failed))
        {
            // The old file has what it had, and what the disk did not take is part of the state that the next try writes.
            _logger.JournalFailed(_path, failed.Message);
            lock (_gate)
            {
                _mustRewrite = true;
            }
        }
        finally
        {
            lock (_gate)
            {
                _meanwhile = null;
            }
        }
    }

    private static FileStream OpenFile(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.Read,
        BufferSize = 0,
        UnixCreateMode = OwnerOnly,
    });

    private void Load()
    {
        var bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        var whole = 0;
        while (JournalFrame.Read(bytes.AsMemory(whole), out var size) is { } record)
        {
            _state.Apply(record);
            whole += size;
        }

        if (whole < bytes.Length)
        {
            _logger.JournalTorn(_path, bytes.Length - whole);
            _file.SetLength(whole);
        }

        _file.Position = _length = whole;
        IsProvisional = whole < bytes.Length;
        var changes = ImmutableArray.CreateBuilder<RoutingChange>();
        var registrations = ImmutableArray.CreateBuilder<Registration>();
        foreach (var record in _state.Records())
        {
            Load(record, changes, registrations);
        }

        IsProvisional |= Options is null;
        Changes = changes.ToImmutable();
        Registrations = registrations.ToImmutable();
    }

    private void Load(JournalRecord record, ImmutableArray<RoutingChange>.Builder changes, ImmutableArray<Registration>.Builder registrations)
    {
        try
        {
            switch (record.BodyCase)
            {
                case JournalRecord.BodyOneofCase.Started:
                    Incarnation = record.Started.Incarnation;
                    break;
                case JournalRecord.BodyOneofCase.Welcome:
                    Options = NodeOptionsDocument.Read(record.Welcome.Options.Span);
                    break;
                case JournalRecord.BodyOneofCase.Registration:
                    registrations.Add(record.Registration);
                    break;
                default:
                    if (JournalChanges.Read(record) is { } change)
                    {
                        changes.Add(change);
                    }

                    break;
            }
        }
        catch (FormatException unreadable)
        {
            _logger.ChangeUnreadable(unreadable.Message);
        }
    }

    private void Start(string bootId)
    {
        _bootId = bootId;
        Count(++Incarnation);
    }

    private void Count(uint incarnation)
    {
        var record = new JournalRecord { Started = new Started { Incarnation = incarnation, BootId = _bootId } };
        var frame = new ArrayBufferWriter<byte>();
        JournalFrame.Write(frame, record);
        Write(frame.WrittenSpan);
        _file.Flush(flushToDisk: true);
        _state.Apply(record);
    }

    private void Append(JournalRecord record)
    {
        _state.Apply(record);
        JournalFrame.Write(_pending, record);
        if (_pending.WrittenCount > FlushAt)
        {
            WritePending();
        }
    }

    private void WritePending()
    {
        try
        {
            Write(_pending.WrittenSpan);
        }
        catch (IOException failed)
        {
            _logger.JournalFailed(_path, failed.Message);
            _mustRewrite = true; // what waited is part of the state
        }

        _pending.ResetWrittenCount();
    }

    private ValueTask WriteNow(JournalRecord record)
    {
        var frame = new ArrayBufferWriter<byte>(512);
        JournalFrame.Write(frame, record);
        lock (_gate)
        {
            // In order: a node that is killed now finds no registration without the options it was taken under.
            WritePending();
            Write(frame.WrittenSpan);
            _state.Apply(record);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>All or nothing: what a full disk took of it is cut again.</summary>
    private void Write(ReadOnlySpan<byte> frames)
    {
        try
        {
            _file.Position = _length;
            _file.Write(frames);
            _length += frames.Length;
            _meanwhile?.Write(frames);
        }
        catch (Exception failed) when (IsDisk(failed))
        {
            _file.SetLength(_length);
            throw failed as IOException ?? new IOException(failed.Message, failed);
        }
    }

    /// <summary>EFBIG, of a file that may grow no further, comes as an argument out of range.</summary>
    private static bool IsDisk(Exception failed) => failed is IOException or ArgumentOutOfRangeException or UnauthorizedAccessException;

    /// <summary>
    /// Makes the new file beside the old one, which goes on taking registrations meanwhile: syncing megabytes takes longer
    /// than an application should wait for its registration. What it took is added before the new file takes its name.
    /// </summary>
    private void Rewrite(List<Func<JournalRecord>> records)
    {
        var next = _path + ".new";
        var frames = new ArrayBufferWriter<byte>();
        foreach (var record in records)
        {
            JournalFrame.Write(frames, record());
        }

        var file = OpenFile(next, FileMode.Create);
        try
        {
            file.Write(frames.WrittenSpan);
            // Before it takes the old one's name: after a loss of power the name must not point to less.
            file.Flush(flushToDisk: true);
            lock (_gate)
            {
                Replace(next, file, frames.WrittenCount);
            }
        }
        catch
        {
            file.Dispose();
            File.Delete(next); // on a full disk, half of it would be in the way
            throw;
        }
    }

    private void Replace(string next, FileStream file, long length)
    {
        file.Write(_meanwhile!.WrittenSpan);
        File.Move(next, _path, overwrite: true);
        _logger.JournalCompacted(_path, _length, length);
        _file.Dispose();
        _file = file;
        _length = length + _meanwhile.WrittenCount;
    }
}

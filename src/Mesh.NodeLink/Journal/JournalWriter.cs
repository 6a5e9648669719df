using System.Buffers;
using Mesh.Loops;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.Journal;

/// <summary>
/// Brings records to the journal's file. Whoever has something to keep hands it to a queue, so a disk that hangs holds up
/// one thread, and those who must be told that theirs is kept for as long as <see cref="LongestWait"/>.
/// </summary>
internal sealed class JournalWriter(string path, JournalFile file, JournalState state, ProcessLoops loops, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>As long as an application waits for its registration, or for its end.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private const int FlushAt = 4 << 20;
    private const int NeverCompactBelow = 256 << 10;

    private readonly Lock _gate = new(); // of queue and state; nothing waits for the disk under it
    private readonly Lock _disk = new(); // of the file; taken before the other one
    private readonly JournalQueue _queue = new();
    private readonly CancellationTokenSource _closed = new();
    private Task _writing = Task.CompletedTask;
    private ArrayBufferWriter<byte>? _meanwhile; // what is written while the file is rewritten
    private bool _isWriting;
    private bool _mustRewrite;

    public static JournalRecord Ended(string uid) => new() { RegistrationEnded = new RegistrationEnded { Uid = uid } };

    public void BeginResync()
    {
        lock (_gate)
        {
            state.BeginResync();
        }
    }

    /// <summary>Part of the state at once, and of the file when it comes to it.</summary>
    /// <param name="synced">What was not told again since the resync began is dropped.</param>
    public void Put(IEnumerable<JournalRecord> records, bool synced = false)
    {
        lock (_gate)
        {
            foreach (var record in records)
            {
                state.Apply(record);
                Queue(record);
            }

            foreach (var gone in synced ? state.DropUntold() : [])
            {
                Queue(gone);
            }

            if (_queue.Length > FlushAt)
            {
                BeginWriting();
            }
        }
    }

    /// <summary>Completes when the kernel has it, and everything that was put before it.</summary>
    /// <exception cref="IOException">It is not kept.</exception>
    public async Task WriteAsync(JournalRecord record, CancellationToken stop)
    {
        var entry = new JournalEntry(record);
        lock (_gate)
        {
            _queue.Add(entry);
            BeginWriting();
        }

        await entry.WrittenAsync(LongestWait, time, stop);
    }

    /// <summary>On disk when it returns, however long that takes.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void WriteSynced(JournalRecord record)
    {
        lock (_disk)
        {
            Write(Frame(record));
            file.Sync();
            lock (_gate)
            {
                state.Apply(record);
            }
        }
    }

    /// <summary>Written and, when the file has grown beyond twice what it says, rewritten. A disk that is full heals by itself.</summary>
    public void Flush()
    {
        WriteWaiting();
        List<Func<JournalRecord>> records;
        lock (_disk)
        {
            lock (_gate)
            {
                if (!_mustRewrite && file.Length <= Math.Max(2 * state.Size, NeverCompactBelow))
                {
                    return;
                }

                // What is in the queue by now is written to both files after this and in order, so both end at the same.
                records = state.Copy();
                _meanwhile = new ArrayBufferWriter<byte>();
                _mustRewrite = false; // what fails from here on is not among the records
            }
        }

        Compact(records);
    }

    public async ValueTask DisposeAsync()
    {
        Flush();
        Task writing;
        lock (_gate)
        {
            writing = _writing;
        }

        await _closed.CancelAsync(); // one that cannot write is not tried again
        await writing;
        file.Dispose();
        _closed.Dispose();
    }

    /// <summary>
    /// Makes the new file beside the old one, which goes on taking registrations meanwhile: syncing megabytes takes longer
    /// than an application should wait for its registration. What it took is added before the new file takes its name.
    /// </summary>
    private void Compact(List<Func<JournalRecord>> records)
    {
        try
        {
            var frames = new ArrayBufferWriter<byte>();
            records.ForEach(record => JournalFrame.Write(frames, record()));
            var next = file.Prepare(frames.WrittenSpan);
            lock (_disk)
            {
                var before = file.Length;
                file.Replace(next, _meanwhile!.WrittenSpan);
                logger.JournalCompacted(path, before, file.Length);
            }
        }
        catch (Exception failed) when (JournalFile.IsDisk(failed))
        {
            // The old file has what it had, and what the disk did not take is part of the state that the next try writes.
            logger.JournalFailed(path, failed.Message);
            MustRewrite();
        }
        catch
        {
            MustRewrite();
            throw;
        }
        finally
        {
            lock (_disk)
            {
                _meanwhile = null;
            }
        }
    }

    private void Queue(JournalRecord record) => _mustRewrite |= !_queue.TryAdd(record);

    /// <summary>One thread writes, for all who wait; it ends when nobody does. Called under the gate.</summary>
    private void BeginWriting()
    {
        if (!_isWriting)
        {
            _isWriting = true;
            _writing = loops.RunToEndAsync("journal writes", _ => Task.Run(WriteUntilEmpty, CancellationToken.None), _closed.Token);
        }
    }

    private void WriteUntilEmpty()
    {
        while (true)
        {
            WriteWaiting();
            lock (_gate)
            {
                if (_queue.IsEmpty)
                {
                    _isWriting = false;
                    return;
                }
            }
        }
    }

    /// <summary>Writes what waits now, in order.</summary>
    private void WriteWaiting()
    {
        lock (_disk)
        {
            ReadOnlyMemory<byte> frames;
            List<JournalEntry> entries;
            lock (_gate)
            {
                (frames, entries) = _queue.Take();
            }

            Dictionary<JournalEntry, IOException> failures;
            try
            {
                failures = WriteAll(frames.Span, entries);
            }
            catch (Exception fault)
            {
                // Nobody waits for what this run drops, and what of it is part of the state is written with the next file.
                lock (_gate)
                {
                    _mustRewrite = true;
                    entries.ForEach(entry => Settle(entry, new IOException(fault.Message, fault)));
                }

                throw;
            }

            lock (_gate)
            {
                entries.ForEach(entry => Settle(entry, failures.GetValueOrDefault(entry)));
            }
        }
    }

    /// <summary>What is not written, as far as somebody waits for it.</summary>
    private Dictionary<JournalEntry, IOException> WriteAll(ReadOnlySpan<byte> frames, List<JournalEntry> entries)
    {
        var failures = new Dictionary<JournalEntry, IOException>();
        try
        {
            Write(frames);
            return failures;
        }
        catch (IOException failed)
        {
            logger.JournalFailed(path, failed.Message);
            MustRewrite(); // what waited is part of the state
        }

        // Where all of it has no room, a part of it may have.
        foreach (var entry in entries)
        {
            try
            {
                Write(Frame(entry.Record));
            }
            catch (IOException failed)
            {
                failures.Add(entry, failed);
            }
        }

        return failures;
    }

    /// <summary>What begins is part of the state when it is written; what has ended has ended. Called under the gate.</summary>
    private void Settle(JournalEntry entry, IOException? failure)
    {
        var begins = entry.Record.Registration;
        if (failure is null || begins is null)
        {
            state.Apply(entry.Record);
        }

        if (failure is not null)
        {
            entry.Fail(failure);
        }
        else if (!entry.Complete() && begins is not null)
        {
            var end = Ended(begins.Uid); // its caller was told that it is not kept
            state.Apply(end);
            Queue(end);
        }
    }

    private void Write(ReadOnlySpan<byte> frames)
    {
        file.Append(frames);
        _meanwhile?.Write(frames);
    }

    private void MustRewrite()
    {
        lock (_gate)
        {
            _mustRewrite = true;
        }
    }

    private static ReadOnlySpan<byte> Frame(JournalRecord record)
    {
        var frame = new ArrayBufferWriter<byte>(512);
        JournalFrame.Write(frame, record);
        return frame.WrittenSpan;
    }
}

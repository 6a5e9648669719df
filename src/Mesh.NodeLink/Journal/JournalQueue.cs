using System.Buffers;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.Journal;

/// <summary>What waits for the disk, in order. Its owner guards it by a lock, under which nothing waits for the disk.</summary>
internal sealed class JournalQueue
{
    /// <summary>Of frames that nobody waits for. What a disk that hangs has no time for, the next whole rewrite says.</summary>
    public const int Limit = 64 << 20;

    private ArrayBufferWriter<byte> _frames = new();
    private List<JournalEntry> _entries = [];

    public int Length => _frames.WrittenCount;

    public bool IsEmpty => _frames.WrittenCount == 0;

    /// <summary>False when there is no room: then nothing of what waits is needed any more, but what somebody waits for.</summary>
    public bool TryAdd(JournalRecord record)
    {
        if (_frames.WrittenCount > Limit)
        {
            _frames = new ArrayBufferWriter<byte>();
            _entries.ForEach(entry => JournalFrame.Write(_frames, entry.Record));
            return false;
        }

        JournalFrame.Write(_frames, record);
        return true;
    }

    public void Add(JournalEntry entry)
    {
        JournalFrame.Write(_frames, entry.Record);
        _entries.Add(entry);
    }

    public (ReadOnlyMemory<byte> Frames, List<JournalEntry> Entries) Take()
    {
        var taken = (_frames.WrittenMemory, _entries);
        (_frames, _entries) = (new ArrayBufferWriter<byte>(), []);
        return taken;
    }
}

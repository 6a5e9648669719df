namespace Mesh.NodeLink.Journal;

/// <summary>The journal's bytes on disk. For one writer at a time.</summary>
internal sealed class JournalFile : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;
    private readonly Func<string, FileMode, FileStream> _open;
    private FileStream _file;

    /// <exception cref="IOException">It cannot be read or written.</exception>
    public JournalFile(string path, Func<string, FileMode, FileStream> open)
    {
        _path = path;
        _open = open;
        _file = open(path, FileMode.OpenOrCreate);
    }

    /// <summary>Bytes that are whole frames.</summary>
    public long Length { get; private set; }

    public static FileStream Open(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.Read,
        BufferSize = 0,
        UnixCreateMode = OwnerOnly,
    });

    /// <summary>A disk that takes no more. EFBIG, of a file that may grow no further, comes as an argument out of range.</summary>
    public static bool IsDisk(Exception failed) => failed is IOException or ArgumentOutOfRangeException or UnauthorizedAccessException;

    public byte[] ReadAll()
    {
        var bytes = new byte[_file.Length];
        _file.Position = 0;
        _file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Goes on after the first <paramref name="whole"/> bytes; what follows them is cut.</summary>
    public void ContinueAt(long whole)
    {
        if (_file.Length > whole)
        {
            _file.SetLength(whole);
        }

        Length = whole;
    }

    /// <summary>All or nothing: what a full disk took of it is cut again.</summary>
    /// <exception cref="IOException">Nothing of it is in the file.</exception>
    public void Append(ReadOnlySpan<byte> frames)
    {
        try
        {
            _file.Position = Length;
            _file.Write(frames);
            Length += frames.Length;
        }
        catch (Exception failed) when (IsDisk(failed))
        {
            _file.SetLength(Length);
            throw failed as IOException ?? new IOException(failed.Message, failed);
        }
    }

    /// <summary>Completes when the disk has it all.</summary>
    public void Sync() => _file.Flush(flushToDisk: true);

    /// <summary>A new file beside this one, with these frames on disk: before it takes the name, which must never point to less.</summary>
    public FileStream Prepare(ReadOnlySpan<byte> frames)
    {
        var next = _open(NextPath, FileMode.Create);
        try
        {
            next.Write(frames);
            next.Flush(flushToDisk: true);
            return next;
        }
        catch
        {
            Discard(next);
            throw;
        }
    }

    /// <summary>The prepared file takes this one's name, after what was written meanwhile was added to it.</summary>
    public void Replace(FileStream prepared, ReadOnlySpan<byte> meanwhile)
    {
        try
        {
            prepared.Write(meanwhile);
            File.Move(NextPath, _path, overwrite: true);
        }
        catch
        {
            Discard(prepared);
            throw;
        }

        Length = prepared.Position;
        _file.Dispose();
        _file = prepared;
    }

    public void Dispose() => _file.Dispose();

    private string NextPath => _path + ".new";

    private void Discard(FileStream next)
    {
        next.Dispose();
        File.Delete(NextPath); // on a full disk, half of it would be in the way
    }
}

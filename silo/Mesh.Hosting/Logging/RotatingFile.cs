using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Logging;

/// <summary>
/// A log file that is also the process's standard output and error; at 10 MiB it becomes <c>.1</c> and a new one begins.
/// </summary>
public sealed class RotatingFile : ILogOutput
{
    private const long LongestFile = 10 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;
    private FileStream _file;
    private long _length; // counted here: to ask the file is a call for each write

    public RotatingFile(string path)
    {
        _path = path;
        _file = Open(path);
        _length = _file.Length;
    }

    public void Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            if (_length > 0 && _length + lines.Length > LongestFile)
            {
                Rotate();
            }

            _file.Write(lines);
            _length += lines.Length;
        }
        catch (Exception failed) when (failed is IOException or ArgumentOutOfRangeException) // the latter is EFBIG
        {
            // A full disk loses log lines, not connections.
        }
    }

    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (Exception failed) when (failed is IOException or ArgumentOutOfRangeException)
        {
            // As above.
        }
    }

    private void Rotate()
    {
        File.Move(_path, _path + ".1", overwrite: true);
        var full = _file;
        _file = Open(_path);
        _length = 0;
        full.Dispose();
    }

    private static FileStream Open(string path)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = OwnerOnly,
            BufferSize = 0, // lines come in batches
        });
        Detachment.SendOutputTo(file.SafeFileHandle);
        return file;
    }
}

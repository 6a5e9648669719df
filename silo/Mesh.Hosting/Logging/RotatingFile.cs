using Mesh.Hosting.Processes;
using Microsoft.Win32.SafeHandles;

namespace Mesh.Hosting.Logging;

/// <summary>
/// A log file that can also be the process's standard output and error; at 10 MiB it becomes <c>.1</c> and a new one begins.
/// </summary>
public sealed class RotatingFile : ILogOutput
{
    private const long LongestFile = 10 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const long BeforeNextTry = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly Action<SafeFileHandle> _opened;
    private bool _isOutput;
    private FileStream _file;
    private long _length; // counted here: to ask the file is a call for each write
    private long _rotateAt = LongestFile;
    private bool _moved;

    public RotatingFile(string path)
        : this(path, Detachment.SendOutputTo)
    {
    }

    /// <param name="opened">Makes a file the process's output.</param>
    public RotatingFile(string path, Action<SafeFileHandle> opened)
    {
        (_path, _opened) = (path, opened);
        _file = Open();
        _length = _file.Length;
    }

    /// <summary>From here on also standard output and error. Until then a start that fails can tell it to who started it.</summary>
    public void BecomeOutput()
    {
        lock (_gate)
        {
            _opened(_file.SafeFileHandle);
            _isOutput = true;
        }
    }

    public void Write(ReadOnlySpan<byte> lines)
    {
        try
        {
            lock (_gate)
            {
                if (_length > 0 && _length + lines.Length > _rotateAt)
                {
                    TryRotate();
                }

                _file.Write(lines);
                _length += lines.Length;
            }
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

    /// <summary>Without a new file the lines go on into the full one, and it is tried again a mebibyte later.</summary>
    private void TryRotate()
    {
        var full = _file;
        try
        {
            if (!_moved && File.Exists(_path))
            {
                File.Move(_path, _path + ".1", overwrite: true);
                _moved = true; // not once more if the new file cannot be opened: there would be nothing to move
            }

            _file = Open();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            _rotateAt = _length + BeforeNextTry;
            return;
        }

        (_length, _rotateAt, _moved) = (0, LongestFile, false);
        full.Dispose();
    }

    private FileStream Open()
    {
        var file = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = OwnerOnly,
            BufferSize = 0, // lines come in batches
        });
        try
        {
            // The runtime's last words go past this stream, to the same file: they too belong at its end.
            Detachment.AppendAlways(file.SafeFileHandle);
            if (_isOutput)
            {
                _opened(file.SafeFileHandle);
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return file;
    }
}

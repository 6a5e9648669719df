using System.Text;
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

    public RotatingFile(string path)
    {
        _path = path;
        _file = Open(path);
    }

    public void Write(string line)
    {
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(line));
            if (_file.Length >= LongestFile)
            {
                Rotate();
            }
        }
        catch (IOException)
        {
            // A full disk loses log lines, not connections.
        }
    }

    public void Flush()
    {
        try
        {
            _file.Flush();
        }
        catch (IOException)
        {
            // As above.
        }
    }

    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private void Rotate()
    {
        _file.Flush();
        File.Move(_path, _path + ".1", overwrite: true);
        var full = _file;
        _file = Open(_path);
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
        });
        Detachment.SendOutputTo(file.SafeFileHandle);
        return file;
    }
}

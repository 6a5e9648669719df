namespace Mesh.Hosting.Files;

/// <summary>
/// An advisory lock (flock) on a file, held while its process lives: the kernel lets go of it however the process ends.
/// </summary>
public sealed class ProcessLock : IDisposable
{
    private const int WouldBlock = 11; // EWOULDBLOCK: what flock answers, and .NET hands on

    private readonly FileStream _file;

    private ProcessLock(FileStream file)
    {
        _file = file;
    }

    /// <summary>Null when another process holds it.</summary>
    public static ProcessLock? TryTake(string path)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB); the descriptor is close-on-exec, so a child does not keep it.
            return new ProcessLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException failure) when (failure.HResult == WouldBlock)
        {
            return null;
        }
    }

    /// <summary>Whether some process holds it now.</summary>
    public static bool IsHeld(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var taken = TryTake(path);
            return taken is null;
        }
        catch (IOException)
        {
            return File.Exists(path); // without a free descriptor nothing is known, and nobody must be taken for dead
        }
    }

    public void Dispose() => _file.Dispose();
}

namespace Mesh.Hosting.Files;

/// <summary>
/// An advisory lock (flock) on a file, held while its process lives: the kernel lets go of it however the process ends.
/// </summary>
public sealed class ProcessLock : IDisposable
{
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
            return new ProcessLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException failure) when (failure is not (DirectoryNotFoundException or FileNotFoundException) && File.Exists(path))
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

        using var taken = TryTake(path);
        return taken is null;
    }

    public void Dispose() => _file.Dispose();
}

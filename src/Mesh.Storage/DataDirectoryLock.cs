using System.Globalization;

namespace Mesh.Storage;

/// <summary>
/// The data directory belongs to one process: an exclusive lock on <c>silo.lock</c>, which the kernel releases when its
/// holder dies, however it dies.
/// </summary>
public sealed class DataDirectoryLock : IDisposable
{
    private const int WouldBlock = 11; // EWOULDBLOCK: what flock answers, and .NET hands on
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <summary>Creates the directory (0700) when it is missing, and takes its lock.</summary>
    /// <exception cref="DataDirectoryRefusedException">Another process has it, or it cannot be written.</exception>
    public static DataDirectoryLock Acquire(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, "silo.lock");
        try
        {
            Directory.CreateDirectory(dataDirectory, OwnerOnly | UnixFileMode.UserExecute);
            return new DataDirectoryLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None, // flock(LOCK_EX | LOCK_NB)
                UnixCreateMode = OwnerOnly,
                BufferSize = 0,
            }));
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.NotWritable, $"The data directory '{dataDirectory}' cannot be written: {denied.Message}", null, denied);
        }
        catch (IOException failed) when (failed.HResult == WouldBlock)
        {
            var holder = HolderOf(dataDirectory);
            var who = holder is null ? "another process" : string.Create(CultureInfo.InvariantCulture, $"the process {holder}");
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.Locked, $"The data directory '{dataDirectory}' is in use by {who}.", holder, failed);
        }
        catch (IOException failed)
        {
            throw new DataDirectoryRefusedException(
                DataDirectoryRefusal.NotWritable, $"The data directory '{dataDirectory}' cannot be used: {failed.Message}", null, failed);
        }
    }

    public void Dispose() => _file.Dispose();

    private static int? HolderOf(string dataDirectory)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(dataDirectory, "silo.pid")).Trim();
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

public enum DataDirectoryRefusal
{
    Locked,
    NotWritable,

    /// <summary>What stands there is not a store of this version, or damaged.</summary>
    NotAStore,
}

/// <summary>The data directory cannot be used. The message is one sentence for the person who started the process.</summary>
public sealed class DataDirectoryRefusedException(DataDirectoryRefusal reason, string message, int? holder = null, Exception? inner = null)
    : Exception(message, inner)
{
    public DataDirectoryRefusal Reason { get; } = reason;

    /// <summary>Process id of who has the directory, where it is known.</summary>
    public int? Holder { get; } = holder;
}

using System.Globalization;

namespace Mesh.Hosting.Files;

/// <summary>Files that are there whole or not at all.</summary>
public static class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Written beside its place (0600), flushed to disk, then renamed. What could not be written leaves nothing.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        try
        {
            using (var file = new FileStream(
                beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch (Exception failure)
        {
            File.Delete(beside);
            if (failure is ArgumentOutOfRangeException) // EFBIG
            {
                throw new IOException($"File too large (is a limit set, such as ulimit -f?) : '{path}'", failure);
            }

            throw;
        }
    }

    public static void WritePid(string path) =>
        Write(path, System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));

    /// <summary>Null when there is none, or nothing that could be one.</summary>
    public static int? ReadPid(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var pid) && pid > 1 ? pid : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

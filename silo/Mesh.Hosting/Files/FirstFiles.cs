namespace Mesh.Hosting.Files;

/// <summary>
/// What a first start makes. A start that is refused takes it back: no directory, and no certificate authority, stays of
/// a Mesh that never was.
/// </summary>
public sealed class FirstFiles
{
    private readonly string _path;
    private readonly IReadOnlyList<string> _made;

    private FirstFiles(string path, IReadOnlyList<string> made)
    {
        _path = path;
        _made = made;
    }

    /// <summary>Asked before the data directory is opened.</summary>
    public static FirstFiles Before(string path)
    {
        var missing = new List<string>();
        for (var at = path; at is not null && !Path.Exists(at); at = Path.GetDirectoryName(at))
        {
            missing.Add(at);
        }

        return new FirstFiles(path, missing);
    }

    /// <summary>
    /// Whether all that stands there now is this process's, which holds <paramref name="itsLock"/> and has made nothing
    /// else yet. Only then may <see cref="TakeBack"/> be called.
    /// </summary>
    public bool IsFirst(string itsLock) =>
        Directory.EnumerateFileSystemEntries(_path).All(entry => entry == itsLock || Path.GetFileName(entry) == "lost+found");

    /// <summary>Removes the files, and the directories that did not exist before.</summary>
    public void TakeBack()
    {
        try
        {
            foreach (var file in Directory.EnumerateFiles(_path))
            {
                File.Delete(file);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return; // it is told why the start was refused; what is left is found by the next one
        }

        RemoveDirectories();
    }

    /// <summary>Removes the directories that did not exist before and hold nothing.</summary>
    public void RemoveDirectories()
    {
        try
        {
            foreach (var directory in _made)
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Not empty: another process uses it by now.
        }
    }
}

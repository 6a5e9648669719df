using System.Globalization;
using Mesh.Hosting.Files;

namespace Mesh.Hosting.Processes;

/// <summary>Who holds a lock, as the kernel tells it (proc_locks(5)).</summary>
public static class FileLocks
{
    private const int KindField = 1;
    private const int HolderField = 4;
    private const int FileField = 5;

    /// <summary>
    /// Every process that can be seen from here and holds a flock on a file of this number, on whichever file system; null where
    /// the kernel does not say.
    /// </summary>
    public static IReadOnlyList<int>? HoldersOf(string path)
    {
        try
        {
            return FileStatus.Number(path) is { } number ? HoldersOf(number, File.ReadLines("/proc/locks")) : [];
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A line is <c>1: FLOCK ADVISORY WRITE 15157 fe:00:5343096 0 EOF</c>; whoever waits for a lock has an arrow behind the colon.</summary>
    public static IReadOnlyList<int> HoldersOf(ulong number, IEnumerable<string> locks) =>
    [
        .. from line in locks
           let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
           where fields.Length > FileField && fields[KindField] == "FLOCK"
               && fields[FileField].EndsWith(string.Create(CultureInfo.InvariantCulture, $":{number}"), StringComparison.Ordinal)
           let holder = int.TryParse(fields[HolderField], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0
           where holder > 0
           select holder,
    ];
}

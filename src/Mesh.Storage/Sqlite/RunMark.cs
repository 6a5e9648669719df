using System.Globalization;

namespace Mesh.Storage.Sqlite;

/// <summary>
/// Where the last run left the store, in a small file beside it, which no backup has: a restored database does not agree
/// with it. It is written without sync: when it is lost or old, the worst is a new timeline, which costs every watch one list.
/// </summary>
internal sealed record RunMark(string Timeline, long Openings, long Version)
{
    private const string Opening = "opening";

    /// <summary>
    /// Written before an opening is counted. A run that was killed before it had written its own mark has counted it or not, and
    /// has committed nothing.
    /// </summary>
    public bool IsOpening { get; init; }

    /// <summary>Whether a store is where this mark says that its last run left it.</summary>
    public bool IsOf(string timeline, long openings, long version) => timeline == Timeline && (IsOpening
        ? openings - Openings is 0 or 1 && version == Version
        : openings == Openings && version >= Version);

    public static RunMark? Read(string path)
    {
        try
        {
            var fields = File.ReadAllText(path).Split(' ', StringSplitOptions.TrimEntries);
            return (fields.Length == 3 || fields is [_, _, _, Opening])
                && TryParse(fields[1], out var openings) && TryParse(fields[2], out var version)
                    ? new RunMark(fields[0], openings, version) { IsOpening = fields.Length > 3 }
                    : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Write(string path)
    {
        var next = path + ".next";
        File.Delete(next);
        using (var file = new StreamWriter(next, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(string.Create(CultureInfo.InvariantCulture, $"{Timeline} {Openings} {Version}{(IsOpening ? " " + Opening : "")}\n"));
        }

        File.Move(next, path, overwrite: true);
    }

    private static bool TryParse(string text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

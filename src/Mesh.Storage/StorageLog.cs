using Microsoft.Extensions.Logging;

namespace Mesh.Storage;

internal static partial class StorageLog
{
    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "Store {Path} opened at resourceVersion {Version}, timeline {Timeline}")]
    public static partial void Opened(this ILogger log, string path, long version, string timeline);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "Store {Path} is not where its last run left it (a restored backup?): new timeline {Timeline}, watches list again")]
    public static partial void Restored(this ILogger log, string path, string timeline);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Error, Message = "A transaction of {Commits} commits was not written: {Reason}")]
    public static partial void NotWritten(this ILogger log, int commits, string reason, Exception failed);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Error, Message = "The outcome of a transaction of {Commits} commits is unknown; the store is opened again: {Reason}")]
    public static partial void OutcomeUnknown(this ILogger log, int commits, string reason, Exception failed);

    [LoggerMessage(EventId = 5005, Level = LogLevel.Warning, Message = "The change log could not be trimmed: {Reason}")]
    public static partial void NotTrimmed(this ILogger log, string reason, Exception failed);

    [LoggerMessage(EventId = 5006, Level = LogLevel.Error, Message = "A follower of the change log failed; it catches up by itself")]
    public static partial void FollowerFailed(this ILogger log, Exception failed);

    [LoggerMessage(EventId = 5007, Level = LogLevel.Information, Message = "Watch cache loaded {Objects} objects at resourceVersion {Version}, {Changes} changes back to {LogStart}")]
    public static partial void CacheLoaded(this ILogger log, int objects, long version, int changes, long logStart);

    [LoggerMessage(EventId = 5008, Level = LogLevel.Warning, Message = "The watch cache cannot follow the store and tries again: {Reason}")]
    public static partial void CacheBehind(this ILogger log, string reason);

    [LoggerMessage(EventId = 5009, Level = LogLevel.Warning, Message = "{Path} has {Bytes} bytes, and cannot be emptied while somebody reads the store as it was")]
    public static partial void LogFileLarge(this ILogger log, string path, long bytes);

    [LoggerMessage(EventId = 5010, Level = LogLevel.Warning, Message = "{Path} could not be copied into the store, and grows until it can: {Reason}")]
    public static partial void NotCopied(this ILogger log, string path, string reason, Exception failed);

    [LoggerMessage(EventId = 5011, Level = LogLevel.Warning, Message = "{Path} could not be written; until it can, a copy of the store that is put back may be taken for the original: {Reason}")]
    public static partial void NotMarked(this ILogger log, string path, string reason, Exception failed);

    [LoggerMessage(EventId = 5012, Level = LogLevel.Error, Message = "{Lost}")]
    public static partial void StoreLost(this ILogger log, string lost);

    [LoggerMessage(EventId = 5013, Level = LogLevel.Warning, Message = "{Path} was removed or replaced while the store is open; what it held was copied into the store, and a new one is made")]
    public static partial void LogReplaced(this ILogger log, string path);
}

namespace Mesh.Node;

/// <summary>Every log line of the process mesh-node itself.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Information, "mesh-node {Build} started on {DataDir}, incarnation {Incarnation}")]
    public static partial void Started(this ILogger log, string build, string dataDir, uint incarnation);

    [LoggerMessage(2, LogLevel.Information, "mesh-node ends: {Why}")]
    public static partial void Ending(this ILogger log, string why);

    [LoggerMessage(3, LogLevel.Warning, "A {Kind} from the silo cannot be read and changes nothing: {Why}")]
    public static partial void ChangeUnreadable(this ILogger log, string kind, string why);

    [LoggerMessage(4, LogLevel.Warning, "{Listener} cannot listen on {Setting}: {Why}; tried again every second")]
    public static partial void ListenerFailed(this ILogger log, string listener, string setting, string why);

    [LoggerMessage(5, LogLevel.Information, "{Listener} listens on {Setting}")]
    public static partial void ListenerOpened(this ILogger log, string listener, string setting);

    [LoggerMessage(7, LogLevel.Error, "A change of what is routed met an exception and changes nothing")]
    public static partial void ChangeFailed(this ILogger log, Exception failure);

    [LoggerMessage(6, LogLevel.Warning, "The journal cannot be written: {Why}")]
    public static partial void JournalFailed(this ILogger log, string why);
}

using Mesh.NodeLink;

namespace Mesh.Node;

/// <summary>The options that the node runs with: those of its journal, then those of each link.</summary>
internal sealed class NodeSettings(NodeOptions? options)
{
    private NodeOptions? _options = options;
    private volatile LogLevel _logLevel = LevelOf(options);

    /// <summary>Null in a new data directory, until the first link.</summary>
    public NodeOptions? Options
    {
        get => Volatile.Read(ref _options);
        set
        {
            Volatile.Write(ref _options, value);
            _logLevel = LevelOf(value);
        }
    }

    public string NodeName => Options?.NodeName ?? Environment.MachineName.ToLowerInvariant();

    /// <summary>Kept as a value, as each log line asks for it.</summary>
    public LogLevel LogLevel => _logLevel;

    private static LogLevel LevelOf(NodeOptions? options) =>
        Enum.TryParse<LogLevel>(options?.LogLevel, out var level) ? level : LogLevel.Information;
}

using Mesh.NodeLink;

namespace Mesh.Node;

/// <summary>The options that the node runs with: those of its journal, then those of each link.</summary>
internal sealed class NodeSettings(NodeOptions? options)
{
    private NodeOptions? _options = options;

    /// <summary>Null in a new data directory, until the first link.</summary>
    public NodeOptions? Options
    {
        get => Volatile.Read(ref _options);
        set => Volatile.Write(ref _options, value);
    }

    public string NodeName => Options?.NodeName ?? Environment.MachineName.ToLowerInvariant();

    public LogLevel LogLevel => Enum.TryParse<LogLevel>(Options?.LogLevel, out var level) ? level : LogLevel.Information;

    public bool LogsJson => Options?.LogFormat != "text";
}

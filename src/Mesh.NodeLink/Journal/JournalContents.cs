using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeLink.Journal;

/// <summary>What a journal said when it was opened.</summary>
/// <param name="Incarnation">Of the last start; 0 when there was none.</param>
/// <param name="Options">That the node last ran with; null in a new data directory.</param>
/// <param name="Changes">What the last run routed by.</param>
/// <param name="Registrations">What was registered when it ended.</param>
internal sealed record JournalContents(
    uint Incarnation, NodeOptions? Options, ImmutableArray<RoutingChange> Changes, ImmutableArray<Registration> Registrations)
{
    /// <summary>Applies each whole record to the state; the number of bytes that are whole.</summary>
    public static int Apply(ReadOnlyMemory<byte> bytes, JournalState state)
    {
        var whole = 0;
        while (JournalFrame.Read(bytes[whole..], out var size) is { } record)
        {
            state.Apply(record);
            whole += size;
        }

        return whole;
    }

    public static JournalContents Of(JournalState state, ILogger logger)
    {
        var incarnation = 0u;
        NodeOptions? options = null;
        var changes = ImmutableArray.CreateBuilder<RoutingChange>();
        var registrations = ImmutableArray.CreateBuilder<Registration>();
        foreach (var record in state.Records())
        {
            try
            {
                switch (record.BodyCase)
                {
                    case JournalRecord.BodyOneofCase.Started:
                        incarnation = record.Started.Incarnation;
                        break;
                    case JournalRecord.BodyOneofCase.Welcome:
                        options = NodeOptionsDocument.Read(record.Welcome.Options.Span);
                        break;
                    case JournalRecord.BodyOneofCase.Registration:
                        registrations.Add(record.Registration);
                        break;
                    default:
                        if (JournalChanges.Read(record) is { } change)
                        {
                            changes.Add(change);
                        }

                        break;
                }
            }
            catch (FormatException unreadable)
            {
                logger.ChangeUnreadable(unreadable.Message);
            }
        }

        return new JournalContents(incarnation, options, changes.ToImmutable(), registrations.ToImmutable());
    }
}

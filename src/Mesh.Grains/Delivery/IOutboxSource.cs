using Mesh.Loops;

namespace Mesh.Grains.Delivery;

/// <summary>What an outbox reads when it makes a message: always the newest rows, never a copy of older ones.</summary>
public interface IOutboxSource<TKey, TRow>
{
    /// <summary>Absence from a full set means that the row is gone; unknown is not empty.</summary>
    bool IsSynced { get; }

    string ObjectUid { get; }

    long SpecVersion { get; }

    /// <summary>Every row for this receiver, tombstones included.</summary>
    TRow[] Rows();

    /// <summary>The rows of these keys; those that the receiver need not know are left out.</summary>
    TRow[] Rows(IReadOnlyCollection<TKey> keys);
}

/// <summary>What all outboxes of one publisher share.</summary>
/// <param name="Publisher">The publisher's activation id.</param>
/// <param name="Loops">Of the process.</param>
/// <param name="Failed">Told of each send that failed, for the log.</param>
public sealed record OutboxSettings(string Publisher, ProcessLoops Loops, TimeProvider Time, Random Random, Action<string, Exception> Failed);

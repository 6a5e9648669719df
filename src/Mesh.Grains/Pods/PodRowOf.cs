using System.Globalization;
using Mesh.Core.Labels;
using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>A Pod's row as the registry gets it.</summary>
internal static class PodRowOf
{
    /// <summary>
    /// Without its node's word the row is as stored, and its liveness counts for nothing: what the store shows may be
    /// older than anything that the node told. A dead Pod stays dead.
    /// </summary>
    /// <exception cref="FormatException">The stored document is no Pod.</exception>
    public static PodRow Object(StoredObject stored, PodLife? life) =>
        Object(stored, PodParser.Parse(stored.Document, stored.CreatedVersion), life);

    /// <param name="pod">As parsed from what is stored.</param>
    public static PodRow Object(StoredObject stored, Pod pod, PodLife? life)
    {
        var word = life?.Uid == stored.Uid ? life : null;
        return new PodRow(
            pod.Name.Name,
            new OrderMessage(stored.Uid, stored.CreatedVersion, stored.ResourceVersion, word?.Liveness ?? 0),
            pod.Labels.ToDictionary(StringComparer.Ordinal),
            pod.PodIP,
            [.. pod.Ports.Select(port => new PodPort(port.Name ?? "", (byte)port.Protocol, port.Number))],
            pod.NodeName ?? "",
            word?.IsReady ?? pod.IsReady,
            pod.IsDeleting || word is { IsTerminating: true },
            pod.IsRegistered,
            pod.IsTerminal);
    }

    /// <summary>The row of the same object with another word of its node.</summary>
    public static PodRow Told(PodRow row, StoredObject stored, PodLife life) => row with
    {
        Order = row.Order with { Liveness = life.Liveness },
        IsReady = life.IsReady,
        IsTerminating = stored.IsDeleting || life.IsTerminating,
    };

    public static PodRow Ended(StoredObject stored, PodLife? life, ulong liveness)
    {
        var row = Object(stored, life);
        return row with
        {
            IsEnded = true,
            IsReady = false,
            Order = row.Order with { Liveness = Math.Max(row.Order.Liveness, liveness) },
        };
    }

    /// <summary>A status write alone moves the object's version, and changes nothing that a row tells.</summary>
    public static bool TellsTheSame(PodRow published, PodRow row) =>
        published.Order.Uid == row.Order.Uid
        && published.Order.CreatedVersion == row.Order.CreatedVersion
        && published.Order.Liveness == row.Order.Liveness
        && published.IsReady == row.IsReady
        && published.IsTerminating == row.IsTerminating
        && published.IsEnded == row.IsEnded
        && published.NodeName == row.NodeName
        && Equals(published.Address, row.Address)
        && published.Ports.AsSpan().SequenceEqual(row.Ports)
        && LabelMap.Same(published.Labels, row.Labels);

    /// <summary>No object of this name existed at that version: whatever was created before has ended.</summary>
    public static PodRow Absent(string name, long version) =>
        new(name, new OrderMessage("absent-" + version.ToString(CultureInfo.InvariantCulture), version, version, 0), [], null, [], "", false, false, false, true);
}

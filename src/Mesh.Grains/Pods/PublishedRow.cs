using Mesh.Core.Pods;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Pods;

/// <summary>The Pod's row as its registry was last told of it; told again when it would tell something else. For one grain.</summary>
internal sealed class PublishedRow(string name, Func<IPodRegistryGrain> registry)
{
    private PodRow? _row;
    private PodRow? _computed;
    private (string Uid, long Version, PodLife? Life) _told;

    /// <param name="parsed">The Pod as stored, when it is known already.</param>
    public async Task TellAsync(StoredObject current, PodLife? life, Pod? parsed, CancellationToken stop)
    {
        // The Keeper and each status write ask again; what was looked at already is not parsed for that.
        var state = (current.Uid, current.ResourceVersion, life);
        if (_row is not null && state == _told)
        {
            return;
        }

        _computed = RowOf(current, life, parsed);
        await ApplyAsync(_computed, stop);
        _told = state;
    }

    /// <summary>Of a Pod whose object is still the same its node's word alone is another.</summary>
    private PodRow RowOf(StoredObject current, PodLife? life, Pod? parsed) =>
        parsed is not null ? PodRowOf.Object(current, parsed, life)
        : life?.Uid == current.Uid && (_computed?.Order.Uid, _computed?.Order.SpecVersion) == (current.Uid, current.ResourceVersion) ? PodRowOf.Told(_computed!, current, life)
        : PodRowOf.Object(current, life);

    public async Task TellEndedAsync(StoredObject gone, PodLife? life, ulong liveness, CancellationToken stop)
    {
        if (_row is { IsEnded: true } told && told.Order.Uid == gone.Uid && told.Order.Liveness >= Math.Max(liveness, LivenessOf(gone, life)))
        {
            return; // observed first, now it is to be committed
        }

        await ApplyAsync(PodRowOf.Ended(gone, life, liveness), stop);
        _told = default;
    }

    /// <summary>No object of this name existed at that version.</summary>
    public async Task TellAbsentAsync(long version, CancellationToken stop)
    {
        if (_row is not { IsEnded: true })
        {
            await ApplyAsync(PodRowOf.Absent(name, version), stop);
            _told = default;
        }
    }

    /// <summary>The row as the registry has it, when its node has said something of it.</summary>
    public Task<PodRow?> FindAsync(CancellationToken stop) => registry().Find(name, stop);

    private static ulong LivenessOf(StoredObject stored, PodLife? life) => life?.Uid == stored.Uid ? life.Liveness : 0;

    private async Task ApplyAsync(PodRow row, CancellationToken stop)
    {
        if (_row is null || !PodRowOf.TellsTheSame(_row, row))
        {
            await registry().Apply([row], stop);
            _row = row;
        }
    }
}

using Mesh.Grains.Abstractions.Delivery;
using Mesh.Grains.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Gateways;

/// <summary>
/// The hop from gateway to node: a table of what is untold, one message in flight. Synced is told once every Service
/// that existed when the link was made has answered, or was given up on: then those are told as not synced.
/// </summary>
internal sealed class GatewayFeed(IGatewayLink link, GatewayTable table, TimeProvider time, Action<IReadOnlyList<ServiceFeed>> changed)
{
    /// <summary>A Service that has not answered by then does not keep the node from being synced.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private readonly Wakeup _wakeup = new(time);
    private SpecFollower? _follower;
    private long? _completeAt;
    private long? _changedAt;
    private bool _isSynced;

    public GatewayTable Table => table;

    public SpecFollower Follower(IWatchCache cache) => _follower = new SpecFollower(cache, table, time, changed);

    public void Wake() => _wakeup.Set();

    public void Note(ServiceFeed feed, RowsReceived<EndpointRow> rows)
    {
        GrainsMetrics.EndpointsChanged(rows.Changed.Count);
        _changedAt ??= _isSynced && rows.Changed.Count > 0 ? time.GetTimestamp() : null;
        table.Note(feed, rows);
        Wake();
    }

    /// <exception cref="LinkEndedException">The link is gone.</exception>
    public async Task SendAsync(CancellationToken stop)
    {
        var linkEnded = link.Ended; // once: whatever becomes of the link, its end stays one that can be told from a failure
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop, linkEnded);
        try
        {
            while (true)
            {
                table.Release();
                var becomesSynced = !_isSynced && MayBeSynced();
                if (table.HasChanges || becomesSynced)
                {
                    var changes = table.Take();
                    _isSynced |= becomesSynced && !table.HasChanges; // with the last part
                    var changedAt = _changedAt;
                    _changedAt = null;
                    await link.ApplyAsync(changes, _isSynced, ended.Token);
                    if (changedAt is { } since)
                    {
                        GrainsMetrics.Propagated(time.GetElapsedTime(since));
                    }

                    continue;
                }

                await _wakeup.WaitAsync(UntilDue(), ended.Token);
            }
        }
        catch (OperationCanceledException) when (linkEnded.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new LinkEndedException(link.Session.Gateway);
        }
    }

    private bool MayBeSynced()
    {
        if (_follower is not { IsComplete: true })
        {
            return false;
        }

        _completeAt ??= time.GetTimestamp();
        return time.GetElapsedTime(_completeAt.Value) >= AnswerWithin
            || (!table.HasWaiting && table.Feeds.All(feed => feed.HasAnswered));
    }

    private TimeSpan? UntilDue()
    {
        var release = table.UntilRelease();
        if (_isSynced || _completeAt is not { } since)
        {
            return release;
        }

        var given = AnswerWithin - time.GetElapsedTime(since);
        given = given < TimeSpan.Zero ? TimeSpan.Zero : given;
        return release is null || given < release ? given : release;
    }
}

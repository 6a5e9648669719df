using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>The rows of one Service object, merged, and the endpoints that this machine makes of them.</summary>
internal sealed class ServiceRows(NamespacedName service, LocalPods local)
{
    private readonly List<Row> _rows = []; // in the order of Pods
    private long _fullFrom;
    private int _pass;

    /// <summary>Merges the rows; drops those that a full, synced set lacks. What it says afterwards: <see cref="Routed"/>.</summary>
    public void Merge(EndpointsChange change, Service spec, int sweep)
    {
        _pass++;
        foreach (var endpoint in change.Rows)
        {
            Merge(endpoint, change.SpecVersion, spec, sweep);
        }

        // A set that was computed from an older spec than another may lack what that one added.
        if (change is { IsFull: true, IsSynced: true } && change.SpecVersion >= _fullFrom)
        {
            _fullFrom = change.SpecVersion;
            Drop(row => row.Pass != _pass);
        }
    }

    /// <summary>Judges again what the Agent or the Service's spec may have changed.</summary>
    /// <param name="uid">Only the row of this Pod; null for all.</param>
    public void Judge(Service spec, string? uid = null)
    {
        foreach (var row in _rows)
        {
            if (uid is null || row.Merged.Order.Uid == uid)
            {
                Judge(row, spec);
            }
        }
    }

    public bool IsOn(string node) => _rows.Exists(row => row.Routed?.NodeName == node);

    /// <summary>The endpoints in the order of Pods: <paramref name="before"/> itself when it is the same.</summary>
    public ImmutableArray<Endpoint> Routed(ImmutableArray<Endpoint> before)
    {
        var (count, isSame) = (0, true);
        foreach (var row in _rows)
        {
            if (row.Routed is { } endpoint)
            {
                isSame = isSame && count < before.Length && ReferenceEquals(before[count], endpoint);
                count++;
            }
        }

        if (isSame && count == before.Length)
        {
            return before;
        }

        var endpoints = ImmutableArray.CreateBuilder<Endpoint>(count);
        foreach (var row in _rows)
        {
            if (row.Routed is { } endpoint)
            {
                endpoints.Add(endpoint);
            }
        }

        return endpoints.MoveToImmutable();
    }

    public void DropTombstones(int before) => Drop(row => row.Merged.IsEnded && row.EndedAt < before);

    public void Clear() => Drop(_ => true);

    private void Merge(Endpoint endpoint, long specVersion, Service spec, int sweep)
    {
        var index = IndexOf(endpoint.Pod);
        if (index < 0)
        {
            var first = new Row(endpoint.Pod, MergedRow.Of(endpoint, endpoint.Order, endpoint.Ended, specVersion)) { Pass = _pass, EndedAt = sweep };
            _rows.Insert(~index, first);
            Judge(first, spec);
            return;
        }

        var row = _rows[index];
        row.Pass = _pass;
        if (row.Merged.TryMerge(endpoint, endpoint.Order, endpoint.Ended, specVersion, out var merged))
        {
            row.Merged = merged;
            row.EndedAt = sweep;
            Judge(row, spec);
        }
    }

    private void Judge(Row row, Service spec)
    {
        var merged = row.Merged;
        var uid = local.IsHere(merged.Spec) ? merged.Order.Uid : null;
        if (uid != row.LinkedUid)
        {
            Unlink(row);
            Link(row, uid);
        }

        var whole = merged.IsEnded ? null : Whole(merged, spec);
        Refuse(row, whole is null ? [] : local.Rule.ClaimedOf(whole));
        var routed = whole is null ? null : local.Judge(whole, spec);
        row.Routed = routed == row.Routed ? row.Routed : routed;
    }

    private void Refuse(Row row, ImmutableArray<IPEndPoint> claimed)
    {
        if (!claimed.IsEmpty || !row.Claimed.IsEmpty)
        {
            local.Refused.Move(new EndpointPlace(service, row.Pod), row.Claimed, claimed);
            row.Claimed = claimed;
        }
    }

    private static Endpoint Whole(MergedRow<Endpoint> merged, Service spec)
    {
        var (asked, observed) = (merged.Spec, merged.Liveness);
        if (ReferenceEquals(asked, observed))
        {
            return asked;
        }

        var terminating = asked.Terminating || observed.Terminating;
        return asked with
        {
            Order = merged.Order,
            Serving = observed.Serving,
            Terminating = terminating,
            Ready = observed.Ready && (!terminating || spec.PublishNotReadyAddresses),
        };
    }

    private int IndexOf(NamespacedName pod)
    {
        var (low, high) = (0, _rows.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = _rows[middle].Pod.CompareTo(pod);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }

    private void Drop(Predicate<Row> isGone)
    {
        _rows.RemoveAll(row =>
        {
            var gone = isGone(row);
            if (gone)
            {
                Unlink(row);
                Refuse(row, []);
            }

            return gone;
        });
    }

    private void Link(Row row, string? uid)
    {
        if (uid is not null)
        {
            local.Link(uid, service);
            row.LinkedUid = uid;
        }
    }

    private void Unlink(Row row)
    {
        if (row.LinkedUid is { } uid)
        {
            local.Unlink(uid, service);
            row.LinkedUid = null;
        }
    }

    private sealed class Row(NamespacedName pod, MergedRow<Endpoint> merged)
    {
        public NamespacedName Pod => pod;

        public MergedRow<Endpoint> Merged { get; set; } = merged;

        /// <summary>What the snapshot holds of it; null for a tombstone and for what this machine knows to be gone.</summary>
        public Endpoint? Routed { get; set; }

        /// <summary>Its ports on which the node itself answers a Service: not routed to.</summary>
        public ImmutableArray<IPEndPoint> Claimed { get; set; } = [];

        /// <summary>The uid under which this machine's Agent finds the row.</summary>
        public string? LinkedUid { get; set; }

        public int Pass { get; set; }

        public int EndedAt { get; set; }
    }
}

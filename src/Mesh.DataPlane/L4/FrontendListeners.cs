using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.Listening;

namespace Mesh.DataPlane.L4;

/// <summary>
/// The listeners that are open, by Service and place, and what could not be opened. A change costs the listeners of the
/// Services that it names. Held by the one loop of <see cref="ServiceListeners"/>.
/// </summary>
internal sealed class FrontendListeners(L4Context context, IFrontendPlaces places, PortReports reports)
{
    // As many places as the owner of the snapshot is asked about at once: a death on this machine waits for no long question.
    private const int MostAsked = 256;

    private readonly Dictionary<NamespacedName, Dictionary<IPEndPoint, Entry>> _services = [];
    private readonly Dictionary<IPEndPoint, NamespacedName> _open = [];
    private readonly HashSet<NamespacedName> _failing = [];
    private readonly List<PortFailure> _failures = [];
    private readonly HashSet<IPEndPoint> _left = []; // to be released
    private readonly DescriptorShare _share = context.Options.Descriptors.Open("Listeners of Services", own: 5);
    private readonly PodPlaces _pods = new(context.Options.KeptForPods, context.Time);

    /// <summary>Where Mesh itself listens.</summary>
    public EndpointRule Own { get; set; } = EndpointRule.Unconfigured;

    /// <summary>Services of which a place could not be listened on; to be tried again.</summary>
    public IReadOnlyCollection<NamespacedName> Failing => _failing;

    /// <summary>Those that have a listener, or would have one.</summary>
    public IEnumerable<NamespacedName> Services => _services.Keys;

    /// <summary>Makes the listeners of these Services what is wanted.</summary>
    public async Task ApplyAsync(IReadOnlyDictionary<NamespacedName, ImmutableArray<Frontend>> wanted, CancellationToken stop)
    {
        // All that closes before all that opens: a place may have moved from one Service to another.
        foreach (var (service, frontends) in wanted)
        {
            await CloseUnwantedAsync(service, frontends);
        }

        await ReleaseAsync(stop);

        try
        {
            var missing = wanted.SelectMany(entry => entry.Value.Where(frontend => !IsOpen(entry.Key, frontend)).Select(frontend => new Wish(entry.Key, frontend))).ToList();
            foreach (var wish in missing.Where(static wish => wish.Frontend.Kind == FrontendKind.ClusterIP))
            {
                // Nothing else can be there: no endpoint is in the Service CIDR.
#pragma warning disable CA2000 // kept among the open ones, or disposed when it cannot listen
                if (Bind(wish) is { } listener)
#pragma warning restore CA2000
                {
                    Listen(wish, listener);
                }
            }

            foreach (var part in missing.Where(static wish => wish.Frontend.Kind != FrontendKind.ClusterIP).Chunk(MostAsked))
            {
                await OpenAsync(part, stop);
            }
        }
        finally
        {
            reports.Failed(_failures);
            _failures.Clear();
            foreach (var service in wanted.Keys.Where(service => !_services.TryGetValue(service, out var entries) || entries.Values.All(static entry => entry.Listener is not null)))
            {
                _failing.Remove(service);
            }
        }
    }

    public async Task CloseAsync()
    {
        foreach (var listener in _services.Values.SelectMany(static entries => entries.Values).Select(static entry => entry.Listener).OfType<PortListener>())
        {
            await listener.DisposeAsync();
        }

        _services.Clear();
        _open.Clear();
    }

    private bool IsOpen(NamespacedName service, Frontend frontend) =>
        _services.TryGetValue(service, out var entries) && entries.TryGetValue(frontend.Address, out var entry) && entry.Listener is not null;

    private async Task CloseUnwantedAsync(NamespacedName service, ImmutableArray<Frontend> wanted)
    {
        if (!_services.TryGetValue(service, out var entries))
        {
            return;
        }

        var kept = wanted.ToHashSet();
        foreach (var (address, entry) in entries.Where(entry => !kept.Contains(entry.Value.Frontend)).ToList())
        {
            entries.Remove(address);
            if (entry.Listener is null)
            {
                reports.Solved(service, address);
                continue;
            }

            _open.Remove(address);
            if (entry.Frontend.Kind != FrontendKind.ClusterIP)
            {
                _left.Add(address);
            }

            await entry.Listener.DisposeAsync();
            DataPlaneLog.ServicePortClosed(context.Log, service, address, entry.Frontend.Kind);
        }

        if (entries.Count == 0)
        {
            _services.Remove(service);
        }
    }

    /// <summary>
    /// Only where no endpoint is or was a moment ago, and where nobody else is: a place that was bound is asked for before it
    /// is listened on, so no connection comes before the snapshot knows it.
    /// </summary>
    private async Task OpenAsync(Wish[] wishes, CancellationToken stop)
    {
        var found = await places.FindEndpointsAsync([.. wishes.Select(static wish => wish.Frontend.Address)], stop);
        var bound = new Dictionary<IPEndPoint, (Wish Wish, PortListener Listener)>();
        try
        {
            foreach (var wish in wishes)
            {
                var place = wish.Frontend.Address;
                if (Own.WillBeOwn(place.Address, place.Port))
                {
                    // Before it is bound: on an address that has just come, the listener of Mesh's own would find it taken.
                    Fail(wish, new PortCause.Own());
                }
                else if (_pods.OwnerOf(place, found.GetValueOrDefault(place)) is { } endpoint)
                {
                    Fail(wish, new PortCause.Pod(endpoint, context.Options.KeptForPods));
                }
                else if (bound.TryGetValue(place, out var first))
                {
                    Fail(wish, new PortCause.Service(first.Wish.Service));
                }
#pragma warning disable CA2000 // kept among the open ones, or disposed below
                else if (Bind(wish) is { } listener)
#pragma warning restore CA2000
                {
                    bound[place] = (wish, listener);
                }
            }

            var refused = await places.ClaimAsync([.. bound.Keys], stop);
            foreach (var (place, (wish, listener)) in bound)
            {
                if (_pods.OwnerOf(place, refused.GetValueOrDefault(place)) is { } endpoint)
                {
                    Fail(wish, new PortCause.Pod(endpoint, context.Options.KeptForPods));
                    listener.Dispose();
                }
                else if (!Listen(wish, listener))
                {
                    _left.Add(place);
                }

                bound.Remove(place);
            }

            await ReleaseAsync(stop);
        }
        finally
        {
            foreach (var (_, listener) in bound.Values)
            {
                listener.Dispose();
            }
        }
    }

    /// <summary>Nobody listens there any more. What could not be released is released with the next.</summary>
    private async Task ReleaseAsync(CancellationToken stop)
    {
        foreach (var part in _left.Chunk(MostAsked))
        {
            await places.ReleaseAsync([.. part], stop);
            _left.ExceptWith(part);
        }
    }

    /// <summary>Null when it cannot be had; then that is noted.</summary>
    private PortListener? Bind(Wish wish)
    {
        if (_open.TryGetValue(wish.Frontend.Address, out var other))
        {
            Fail(wish, new PortCause.Service(other));
            return null;
        }

        if (!_share.TryTake())
        {
            Fail(wish, new PortCause.TooMany(context.Options.Descriptors.Shared));
            return null;
        }

        try
        {
            return PortListener.Bind(wish.Frontend, wish.Service, context, _share);
        }
        catch (SocketException e)
        {
            _share.Give();
            Fail(wish, PortCause.Refused.By(e, wish.Frontend.Kind));
            return null;
        }
    }

    private bool Listen(Wish wish, PortListener listener)
    {
        var (service, frontend) = wish;
        try
        {
            listener.Listen();
        }
        catch (SocketException e)
        {
            // Another has bound it as well, and listens: two may bind a port, one may listen.
            listener.Dispose();
            Fail(wish, PortCause.Refused.By(e, frontend.Kind));
            return false;
        }

        var entries = EntriesOf(service);
        if (entries.ContainsKey(frontend.Address))
        {
            reports.Solved(service, frontend.Address);
        }

        entries[frontend.Address] = new Entry(frontend, listener, null);
        _open[frontend.Address] = service;
        DataPlaneLog.ServicePortOpened(context.Log, service, frontend.Address, frontend.Kind);
        return true;
    }

    /// <summary>Told once, not each time that it is tried again; and anew when something else is the cause.</summary>
    private void Fail(Wish wish, PortCause cause)
    {
        _failing.Add(wish.Service);
        var entries = EntriesOf(wish.Service);
        if (entries.GetValueOrDefault(wish.Frontend.Address)?.Cause != cause)
        {
            entries[wish.Frontend.Address] = new Entry(wish.Frontend, null, cause);
            _failures.Add(new PortFailure(wish.Service, wish.Frontend.Address, cause));
        }
    }

    private Dictionary<IPEndPoint, Entry> EntriesOf(NamespacedName service)
    {
        if (!_services.TryGetValue(service, out var entries))
        {
            _services[service] = entries = [];
        }

        return entries;
    }

    private sealed record Wish(NamespacedName Service, Frontend Frontend);

    /// <summary>Either listened on, or not for the cause that was told.</summary>
    private sealed record Entry(Frontend Frontend, PortListener? Listener, PortCause? Cause);
}

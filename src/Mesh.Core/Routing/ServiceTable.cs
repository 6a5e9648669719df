using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>The Services of a <see cref="RoutingTable"/>: frontends by their versions, rows merged, routes rebuilt one by one.</summary>
internal sealed class ServiceTable(LocalPods local, Func<string, bool> isSilent)
{
    private readonly HeldObjects _objects = new();
    private readonly Dictionary<NamespacedName, Entry> _entries = [];
    private readonly HashSet<NamespacedName> _changed = [];
    private readonly EndpointPorts _ports = new();

    public ImmutableDictionary<NamespacedName, ServiceRoute> Routes { get; private set; } =
        ImmutableDictionary<NamespacedName, ServiceRoute>.Empty;

    public ImmutableDictionary<IPAddress, NamespacedName> ClusterIPs { get; private set; } =
        ImmutableDictionary<IPAddress, NamespacedName>.Empty;

    public ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>> EndpointAddresses { get; private set; } =
        ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>>.Empty;

    public ImmutableArray<NamespacedName> TakeChanged()
    {
        var changed = _changed.ToImmutableArray();
        _changed.Clear();
        return changed;
    }

    public void Apply(ObjectDocument document, EndpointsChange? endpoints, int generation, int sweep)
    {
        var verdict = _objects.Judge(document);
        if (verdict == HeldObjects.Verdict.Older)
        {
            _objects.HoldOlder(document, generation, Parse);
            Apply(document.Name, endpoints, sweep);
            return;
        }

        if (verdict != HeldObjects.Verdict.Same)
        {
            Replace(document, verdict);
        }

        _objects.Hold(document, generation);
        var entry = _entries[document.Name];
        Merge(entry, endpoints, sweep);
        Rebuild(entry);
    }

    /// <summary>Endpoints of another object than the frontend's change nothing: the one to come brings its own.</summary>
    public void Apply(NamespacedName service, EndpointsChange? endpoints, int sweep)
    {
        if (_entries.TryGetValue(service, out var entry))
        {
            Merge(entry, endpoints, sweep);
            Rebuild(entry);
        }
    }

    public void Remove(NamespacedName service, string uid, int sweep)
    {
        if (_objects.TryRemove(service, uid, sweep))
        {
            Drop(service);
        }
    }

    public void JudgeLocal(string uid)
    {
        foreach (var service in local.ServicesOf(uid).ToArray())
        {
            var entry = _entries[service];
            entry.Rows.Judge(entry.Service, uid);
            Rebuild(entry);
        }
    }

    /// <summary>The node fell silent or was heard again. Rare, so every Service is looked at.</summary>
    public void JudgeNode(string node)
    {
        foreach (var entry in _entries.Values.Where(entry => entry.Rows.IsOn(node)))
        {
            Rebuild(entry);
        }
    }

    /// <summary>What this machine allows of endpoints changed. Rare, so every Service is looked at.</summary>
    public void JudgeAll()
    {
        foreach (var entry in _entries.Values)
        {
            entry.Rows.Judge(entry.Service);
            Rebuild(entry);
        }
    }

    /// <summary>The node no longer listens on the place: what was refused for that may be used again.</summary>
    public void JudgePlace(IPEndPoint place)
    {
        foreach (var service in local.Refused.ServicesAt(place))
        {
            var entry = _entries[service];
            entry.Rows.Judge(entry.Service);
            Rebuild(entry);
        }
    }

    /// <summary>Whose endpoint is on the TCP port; null when nobody's.</summary>
    public EndpointPlace? EndpointAt(IPEndPoint place)
    {
        if (!_ports.Has(place.Port))
        {
            return null;
        }

        IPAddress[] writings = [place.Address, place.Address.MapToIPv6()];
        return (from address in writings
                from service in EndpointAddresses.GetValueOrDefault(address, ImmutableSortedSet<NamespacedName>.Empty)
                from endpoint in Routes[service].Endpoints
                where endpoint.Address.Equals(address) && endpoint.Ports.Any(port => port.Number == place.Port && port.Protocol == TransportProtocol.Tcp)
                select new EndpointPlace(service, endpoint.Pod)).FirstOrDefault();
    }

    public void DropUntold(int generation)
    {
        foreach (var (name, older) in _objects.Untold(generation))
        {
            if (older is null)
            {
                _objects.Drop(name);
                Drop(name);
                continue;
            }

            Replace(older, older.Uid == _objects.UidOf(name) ? HeldObjects.Verdict.Newer : HeldObjects.Verdict.Another);
            _objects.Hold(older, generation);
            Rebuild(_entries[name]);
        }
    }

    public void DropTombstones(int before)
    {
        _objects.DropTombstones(before);
        foreach (var entry in _entries.Values)
        {
            entry.Rows.DropTombstones(before);
        }
    }

    private void Replace(ObjectDocument document, HeldObjects.Verdict verdict)
    {
        var service = Parse(document);
        if (!_entries.TryGetValue(document.Name, out var entry))
        {
            _entries[document.Name] = entry = new Entry(service, new ServiceRows(document.Name, local));
        }
        else if (verdict == HeldObjects.Verdict.Another)
        {
            entry.Rows.Clear();
            entry.IsSynced = false;
        }

        entry.Service = service;
        entry.Rows.Judge(service);
    }

    private static Service Parse(ObjectDocument document)
    {
        var service = ServiceParser.Parse(document.Document, document.CreatedVersion);
        return service.Name == document.Name
            ? service with { Uid = document.Uid, ResourceVersion = document.ResourceVersion }
            : throw new FormatException($"The document of Service {document.Name} is that of {service.Name}.");
    }

    private static void Merge(Entry entry, EndpointsChange? endpoints, int sweep)
    {
        if (endpoints is null || endpoints.ServiceUid != entry.Service.Uid)
        {
            return;
        }

        entry.Rows.Merge(endpoints, entry.Service, sweep);

        // Once known, endpoints stay known: a publisher that starts anew takes nothing away.
        entry.IsSynced |= endpoints.IsSynced;
    }

    private void Rebuild(Entry entry)
    {
        var service = entry.Service;
        var before = Routes.GetValueOrDefault(service.Name);
        var endpoints = entry.Rows.Routed(before?.Endpoints ?? []);
        var ports = EndpointSelection.Usable(service, endpoints, isSilent, before?.Ports ?? []);
        if (before is not null
            && ReferenceEquals(before.Service, service)
            && before.Endpoints == endpoints
            && before.Ports == ports
            && before.IsSynced == entry.IsSynced)
        {
            return;
        }

        if (!ReferenceEquals(before?.Service, service))
        {
            Readdress(before?.Service, service);
        }

        EndpointAddresses = EndpointAddresses.Move(service.Name, before?.Endpoints ?? [], endpoints);
        _ports.Move(before?.Endpoints ?? [], endpoints);
        Routes = Routes.SetItem(service.Name, new ServiceRoute
        {
            Service = service,
            Endpoints = endpoints,
            Ports = ports,
            IsSynced = entry.IsSynced,
        });
        _changed.Add(service.Name);
    }

    private void Drop(NamespacedName name)
    {
        var entry = _entries[name];
        entry.Rows.Clear();
        _entries.Remove(name);
        Readdress(entry.Service, null);
        EndpointAddresses = EndpointAddresses.Move(name, Routes[name].Endpoints, []);
        _ports.Move(Routes[name].Endpoints, []);
        Routes = Routes.Remove(name);
        _changed.Add(name);
    }

    private void Readdress(Service? before, Service? after)
    {
        foreach (var address in before?.ClusterIPs ?? [])
        {
            // Not when a later Service has it by now: an address may be given again before its last owner's end is told.
            if (ClusterIPs.TryGetValue(address, out var owner) && owner == before!.Name)
            {
                ClusterIPs = ClusterIPs.Remove(address);
            }
        }

        foreach (var address in after?.ClusterIPs ?? [])
        {
            ClusterIPs = ClusterIPs.SetItem(address, after!.Name);
        }
    }

    private sealed class Entry(Service service, ServiceRows rows)
    {
        public Service Service { get; set; } = service;

        public ServiceRows Rows => rows;

        public bool IsSynced { get; set; }
    }
}

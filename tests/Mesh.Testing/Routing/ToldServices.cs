using System.Collections.Immutable;
using System.Net;
using System.Text;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Testing.Routing;

/// <summary>What a control plane tells a node of Services, put through the table that the node builds its snapshot with.</summary>
/// <param name="published">Called after each change with the snapshot and what changed of it, as the node's loop does.</param>
public sealed class ToldServices(Action<RoutingSnapshot, ImmutableArray<NamespacedName>> published)
{
    private readonly RoutingTable _table = new("elsewhere");
    private readonly Lock _oneChange = new();
    private long _version = 10;

    /// <summary>Everything has been told.</summary>
    public void Synced() => Change(_table.MarkSynced);

    public void Namespace(string name) => Change(() => _table.Apply(new RoutingChange.NamespaceExists(name, Exists: true)));

    /// <summary>A Service with these Pods, which are its whole set.</summary>
    /// <param name="name"><c>namespace/name</c>.</param>
    /// <param name="spec">Members of <c>spec</c>, such as <c>"ports":[{"port":80}]</c>.</param>
    public void Service(string name, string spec, params ToldPod[] pods) => Tell(name, "u-" + name, spec, isSynced: true, pods);

    /// <summary>A Service whose endpoints nobody has told.</summary>
    public void ServiceWithoutEndpoints(string name, string spec) => Tell(name, "u-" + name, spec, isSynced: false, []);

    /// <summary>Deleted and made again: another object of the name. Without Pods nobody has told its endpoints.</summary>
    public void Renew(string name, string spec, params ToldPod[] pods) => Tell(name, "v-" + name, spec, isSynced: pods.Length > 0, pods, created: 6);

    public void Remove(string name) => Change(() => _table.Apply(new RoutingChange.ServiceRemoved(Named(name), "u-" + name)));

    private static NamespacedName Named(string name) =>
        NamespacedName.TryParse(name, out var named) ? named : throw new ArgumentException($"'{name}' is not namespace/name.", nameof(name));

    private void Tell(string name, string uid, string spec, bool isSynced, ToldPod[] pods, long created = 5)
    {
        var version = Interlocked.Increment(ref _version);
        var named = Named(name);
        var document = $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{named.Name}}}","namespace":"{{{named.Namespace}}}","uid":"{{{uid}}}","resourceVersion":"{{{version}}}" },
             "spec":{ {{{spec}}} },"status":{"loadBalancer":{} } }
            """;
        var rows = pods.Select(pod => pod.Row(named.Namespace, version)).ToImmutableArray();
        Change(() => _table.Apply(new RoutingChange.ServiceSpec(
            new ObjectDocument(named, uid, version, created, Encoding.UTF8.GetBytes(document)), new EndpointsChange(uid, IsFull: isSynced, IsSynced: isSynced, version, rows))));
    }

    private void Change(Action change)
    {
        lock (_oneChange)
        {
            change();
            published(_table.Current, _table.TakeChanged());
        }
    }
}

/// <param name="Ports">By the name of the Service's port.</param>
public sealed record ToldPod(string Name, string Address, params (string Name, int Number)[] Ports)
{
    public bool Ready { get; init; } = true;

    public bool Terminating { get; init; }

    /// <summary>As a Pod that ends: it serves what it has, and takes nothing new.</summary>
    public ToldPod Draining => this with { Ready = false, Terminating = true };

    internal Endpoint Row(string ns, long version) => new()
    {
        Pod = NamespacedName.Of(ns, Name),
        Order = new RowOrder("p-" + Name, 10, version, (ulong)version),
        Address = IPAddress.Parse(Address),
        Ports = [.. Ports.Select(port => new EndpointPort(port.Name, TransportProtocol.Tcp, port.Number))],
        NodeName = "n2",
        Ready = Ready,
        Serving = Ready || Terminating,
        Terminating = Terminating,
    };
}

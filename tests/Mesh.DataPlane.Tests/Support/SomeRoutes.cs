using System.Collections.Immutable;
using System.Net;
using System.Text;
using Mesh.Core;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.DataPlane.L4;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>Routes built through the table that a node builds its snapshot with, changed while the data plane runs.</summary>
internal sealed class SomeRoutes : IFrontendPlaces
{
    private readonly Lock _gate = new();
    private readonly RoutingTable _table = new("here");
    private readonly List<Action<IEnumerable<NamespacedName>>> _followers = [];
    private long _version = 10;
    private int _looks;

    /// <summary>How often it was asked which endpoints are somewhere.</summary>
    public int Looks => Volatile.Read(ref _looks);

    /// <summary>Places asked for, or released, in one call.</summary>
    public int MostAtOnce { get; private set; }

    /// <summary>Somebody has asked since <see cref="HasEnded"/>.</summary>
    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>As the node's loop once it has ended: every question is cancelled.</summary>
    public bool HasEnded { get; set; }

    public bool IsClaimed(IPEndPoint place) => _table.Claimed.Contains(place.Address, place.Port);

    public Published<RoutingSnapshot> Published { get; } = new(RoutingSnapshot.Empty);

    public static NamespacedName Name(string name) => NamespacedName.Of("default", name);

    /// <summary>Calls <paramref name="follower"/> after each change, as the node's loop does.</summary>
    public void Follow(Action<IEnumerable<NamespacedName>> follower) => _followers.Add(follower);

    public void Synced() => Change(_table.MarkSynced);

    /// <summary>A Service with one port (named http) and these Pods, which are its whole set.</summary>
    public void Service(string name, string clusterIP, int port, params SomePod[] pods)
    {
        var version = ++_version;
        var document = $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}","namespace":"default","uid":"u-{{{name}}}","resourceVersion":"{{{version}}}" },
             "spec":{"type":"ClusterIP","clusterIP":"{{{clusterIP}}}","clusterIPs":["{{{clusterIP}}}"],"selector":{"app":"{{{name}}}"},
             "ports":[{"name":"http","port":{{{port}}},"protocol":"TCP","targetPort":8080} ] },"status":{"loadBalancer":{} } }
            """;
        Apply(new RoutingChange.ServiceSpec(
            new ObjectDocument(Name(name), "u-" + name, version, 5, Encoding.UTF8.GetBytes(document)),
            new EndpointsChange("u-" + name, IsFull: true, IsSynced: true, version, [.. pods.Select(pod => Row(pod, version))])));
    }

    /// <summary>A Service of another type with one port; <paramref name="loadBalancer"/> in its status.</summary>
    public void Service(string name, string type, int port, int nodePort, string? loadBalancer, params SomePod[] pods)
    {
        var version = ++_version;
        var ingress = loadBalancer is null ? "" : $$"""{"ip":"{{loadBalancer}}","ipMode":"VIP"}""";
        var document = $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}","namespace":"default","uid":"u-{{{name}}}","resourceVersion":"{{{version}}}" },
             "spec":{"type":"{{{type}}}","selector":{"app":"{{{name}}}"},
             "ports":[{"name":"http","port":{{{port}}},"protocol":"TCP","targetPort":8080,"nodePort":{{{nodePort}}} } ] },
             "status":{"loadBalancer":{"ingress":[{{{ingress}}}] } } }
            """;
        Apply(new RoutingChange.ServiceSpec(
            new ObjectDocument(Name(name), "u-" + name, version, 5, Encoding.UTF8.GetBytes(document)),
            new EndpointsChange("u-" + name, IsFull: true, IsSynced: true, version, [.. pods.Select(pod => Row(pod, version))])));
    }

    public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> FindEndpointsAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop)
    {
        MostAtOnce = Math.Max(MostAtOnce, places.Length);
        Interlocked.Increment(ref _looks);
        return ValueTask.FromResult<IReadOnlyDictionary<IPEndPoint, EndpointPlace>>(Ask(places, _table.EndpointAt));
    }

    public ValueTask<IReadOnlyDictionary<IPEndPoint, EndpointPlace>> ClaimAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop) =>
        ValueTask.FromResult<IReadOnlyDictionary<IPEndPoint, EndpointPlace>>(Ask(places, _table.Claim));

    public ValueTask ReleaseAsync(ImmutableArray<IPEndPoint> places, CancellationToken stop)
    {
        MostAtOnce = Math.Max(MostAtOnce, places.Length);
        Change(() => _table.Release(places));
        return ValueTask.CompletedTask;
    }

    private Dictionary<IPEndPoint, EndpointPlace> Ask(ImmutableArray<IPEndPoint> places, Func<IPEndPoint, EndpointPlace?> ask)
    {
        if (HasEnded)
        {
            Ended.TrySetResult();
            throw new OperationCanceledException("the node is stopping");
        }

        var answers = new Dictionary<IPEndPoint, EndpointPlace>();
        Change(() =>
        {
            foreach (var place in places)
            {
                if (ask(place) is { } endpoint)
                {
                    answers[place] = endpoint;
                }
            }
        });
        return answers;
    }

    public void RemoveService(string name) => Apply(new RoutingChange.ServiceRemoved(Name(name), "u-" + name));

    /// <summary>An Ingress of one rule; an empty host is every host.</summary>
    public void Ingress(string name, string host, params (string Path, string Type, string Service)[] paths)
    {
        var version = ++_version;
        var rules = string.Join(',', paths.Select(path =>
            $$$"""{"path":"{{{path.Path}}}","pathType":"{{{path.Type}}}","backend":{"service":{"name":"{{{path.Service}}}","port":{"number":80} } } }"""));
        var hostField = host.Length == 0 ? "" : $"\"host\":\"{host}\",";
        var document = $$$"""
            {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"default","uid":"i-{{{name}}}","resourceVersion":"{{{version}}}" },
             "spec":{"rules":[{ {{{hostField}}} "http":{"paths":[{{{rules}}}] } }] } }
            """;
        Apply(new RoutingChange.IngressSpec(new ObjectDocument(Name(name), "i-" + name, version, version, Encoding.UTF8.GetBytes(document))));
    }

    /// <summary>An Ingress of every path, that names a Secret for each host (none: the default certificate).</summary>
    public void Tls(string name, string service, bool redirects, params (string Host, string? Secret)[] hosts)
    {
        var version = ++_version;
        var rules = string.Join(',', hosts.Select(host =>
            $$$"""{"host":"{{{host.Host}}}","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"{{{service}}}","port":{"number":80} } } }] } }"""));
        var tls = string.Join(',', hosts.Select(host => $$$"""{"hosts":["{{{host.Host}}}"],"secretName":"{{{host.Secret}}}"}"""));
        var document = $$$"""
            {"kind":"Ingress","metadata":{"name":"{{{name}}}","namespace":"default","uid":"i-{{{name}}}","resourceVersion":"{{{version}}}","annotations":{"mesh.internal/ssl-redirect":"{{{(redirects ? "true" : "false")}}}"} },
             "spec":{"rules":[{{{rules}}}],"tls":[{{{tls}}}] } }
            """;
        Apply(new RoutingChange.IngressSpec(new ObjectDocument(Name(name), "i-" + name, version, version, Encoding.UTF8.GetBytes(document))));
    }

    public void Certificate(string secret, ReadOnlyMemory<byte> pem) =>
        Apply(new RoutingChange.Certificate(new ObjectDocument(Name(secret), "k-" + secret, ++_version, 1, pem)));

    public void RemoveCertificate(string secret) => Apply(new RoutingChange.CertificateRemoved(Name(secret)));

    public void DefaultCertificate(ReadOnlyMemory<byte> pem) => Apply(new RoutingChange.DefaultCertificate(pem));

    private void Apply(RoutingChange change) => Change(() => _table.Apply(change));

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            Published.TryPublish(_table.Current);
            var changed = _table.TakeChanged();
            foreach (var follower in _followers)
            {
                follower(changed);
            }
        }
    }

    private static Endpoint Row(SomePod pod, long version) => new()
    {
        Pod = Name(pod.Name),
        Order = new RowOrder("p-" + pod.Name, 10, version, (ulong)version),
        Address = pod.Address.Address,
        Ports = [new EndpointPort("http", TransportProtocol.Tcp, pod.Address.Port)],
        NodeName = "elsewhere",
        Ready = pod.Ready,
        Serving = pod.Ready,
    };
}

internal sealed record SomePod(string Name, IPEndPoint Address, bool Ready = true);

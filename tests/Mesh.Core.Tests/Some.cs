using System.Collections.Immutable;
using System.Net;
using CsCheck;
using Mesh.Core.Labels;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Core.Tests;

/// <summary>Generators over tiny alphabets, so that collisions, matches and misses are all common.</summary>
internal static class Some
{
    public static readonly Gen<string> LabelKey = Gen.OneOf("app", "tier");

    public static readonly Gen<string> LabelValue = Gen.OneOf("a", "b");

    public static readonly Gen<ImmutableSortedDictionary<string, string>> Labels =
        Gen.Select(LabelKey, LabelValue).Array[0, 3].Select(pairs => LabelMap.Of([.. pairs.Select(p => (p.Item1, p.Item2))]));

    public static readonly Gen<TransportProtocol> Protocol = Gen.OneOf<TransportProtocol>(TransportProtocol.Tcp, TransportProtocol.Udp);

    public static readonly Gen<TargetPort> Target = Gen.OneOf<TargetPort>(
        Gen.Int[1, 3].Select(n => (TargetPort)new TargetPort.Number(n)),
        Gen.OneOf("http", "dns").Select(n => (TargetPort)new TargetPort.Named(n)));

    public static readonly Gen<ImmutableArray<ServicePort>> ServicePorts =
        Gen.Select(Protocol, Target).Array[0, 2].Select(ports =>
            ports.Select((p, i) => new ServicePort("p" + i, p.Item1, 80 + i, p.Item2)).ToImmutableArray());

    public static readonly Gen<Service> Service =
        Gen.Select(Labels, ServicePorts, Gen.Bool, Gen.OneOf("n", "m")).Select((selector, ports, publish, ns) => new Service
        {
            Name = NamespacedName.Of(ns, "web"),
            Uid = "svc",
            ResourceVersion = 1,
            Selector = selector,
            Ports = ports,
            PublishNotReadyAddresses = publish,
        });

    public static readonly Gen<IPAddress> Address = Gen.Int[1, 3].Select(n => new IPAddress([127, 80, 0, (byte)n]));

    public static readonly Gen<ImmutableArray<ContainerPort>> ContainerPorts =
        Gen.Select(Gen.OneOf<string?>("http", "dns", null), Gen.Int[1, 3], Protocol)
            .Select((name, number, protocol) => new ContainerPort(name, number, protocol)).Array[0, 2]
            .Select(ports => ports.ToImmutableArray());

    public static readonly Gen<Pod> Pod =
        Gen.Select(Labels, ContainerPorts, Address, Gen.Int[0, 3], Gen.Bool, Gen.OneOf("n", "m"), Gen.Int[1, 4])
            .Select((labels, ports, address, kind, ready, ns, number) => new Pod
            {
                Name = NamespacedName.Of(ns, "pod-" + number),
                Uid = "uid-" + number,
                ResourceVersion = 1,
                Labels = labels,
                Ports = ports,
                PodIP = kind == 0 ? null : address,
                IsTerminal = kind == 1,
                IsDeleting = kind == 2,
                IsReady = ready,
            });

    public static readonly Gen<Endpoint> Endpoint =
        Gen.Select(Gen.Int[1, 6], Address, Gen.Int[0, 15], Gen.OneOf("n1", "n2")).Select((pod, address, flags, node) => new Endpoint
        {
            Pod = NamespacedName.Of("n", "pod-" + pod),
            Order = new RowOrder("uid-" + pod, pod, 1, 1),
            Address = address,
            NodeName = node,
            Ports = (flags & 8) == 0 ? [new EndpointPort("p0", TransportProtocol.Tcp, 8080)] : [new EndpointPort("p1", TransportProtocol.Tcp, 8081)],
            Serving = (flags & 1) != 0,
            Terminating = (flags & 2) != 0,
            Ready = (flags & 3) == 1,
            Ended = (flags & 4) != 0,
        });

    /// <summary>The same items in another order, some of them twice.</summary>
    public static T[] Shuffled<T>(T[] items, int seed)
    {
        var random = new Random(seed);
        T[] shuffled = [.. items, .. items.Where(_ => random.Next(3) == 0)];
        random.Shuffle(shuffled);
        return shuffled;
    }
}

using System.Net;

namespace Mesh.Hosting.Options;

/// <summary>Options that are valid each by itself and cannot stand together.</summary>
internal static class OptionClashes
{
    /// <summary>More would be searched for each LoadBalancer Service while all of them are taken.</summary>
    private const long MostPoolAddresses = 4096;

    /// <summary>One line for each clash.</summary>
    public static IEnumerable<string> Of(MeshOptions options) =>
        NodePorts(options).Concat(Networks(options)).Concat(Pool(options)).Concat(SamePorts(options));

    private static (string Name, ListenAddress At)[] Listeners(MeshOptions options) =>
    [
        ("--api-listen", options.ApiListen), ("--node-listen", options.NodeListen), ("--ingress-http", options.IngressHttp),
        ("--ingress-https", options.IngressHttps), ("--dns-listen", options.DnsListen), ("--silo-port", ListenAddress.Of(IPAddress.Loopback, options.SiloPort)),
    ];

    /// <summary>A NodePort is answered on every address, so a number of the range belongs to nothing else.</summary>
    private static IEnumerable<string> NodePorts(MeshOptions options) =>
        from listener in Listeners(options)
        where listener.At.Port != 0 && options.NodePortRange.Contains(listener.At.Port)
        let given = listener.Name == "--silo-port" ? $"{options.SiloPort}" : $"{listener.At}"
        select $"{listener.Name} {given} lies inside the NodePort range {options.NodePortRange}";

    private static IEnumerable<string> Networks(MeshOptions options)
    {
        if (AddressBlocks.Overlap(options.ServiceCidr, options.PodCidr))
        {
            yield return $"--pod-cidr {options.PodCidr} and --service-cidr {options.ServiceCidr} overlap";
        }
    }

    private static IEnumerable<string> Pool(MeshOptions options)
    {
        if (options.LoadBalancerPool.Sum(block => 1L << (32 - block.PrefixLength)) > MostPoolAddresses)
        {
            yield return $"--loadbalancer-pool {string.Join(',', options.LoadBalancerPool)} holds more than {MostPoolAddresses} addresses";
        }

        foreach (var block in options.LoadBalancerPool)
        {
            if (AddressBlocks.Overlap(block, options.ServiceCidr) || AddressBlocks.Overlap(block, options.PodCidr))
            {
                yield return $"--loadbalancer-pool {block} overlaps --service-cidr or --pod-cidr";
            }

            // "This network", link-local, multicast, reserved and broadcast: nobody serves there (EndpointRule in Mesh.Core).
            if (block.BaseAddress.GetAddressBytes() is [0 or >= 224, ..] or [169, 254, ..])
            {
                yield return $"--loadbalancer-pool {block} holds no addresses of a machine";
            }
        }
    }

    private static IEnumerable<string> SamePorts(MeshOptions options)
    {
        var listeners = Listeners(options);
        for (var i = 0; i < listeners.Length; i++)
        {
            var (name, at) = listeners[i];
            if (options.ServiceCidr.Contains(at.Address) || options.PodCidr.Contains(at.Address))
            {
                yield return $"{name} {at} lies inside --service-cidr or --pod-cidr";
            }

            foreach (var (other, taken) in listeners.Take(i))
            {
                if (at.Port != 0 && at.Port == taken.Port && (at.IsAny || taken.IsAny || at.Address.Equals(taken.Address)))
                {
                    yield return $"{other} and {name} both ask for port {at.Port}";
                }
            }
        }
    }
}

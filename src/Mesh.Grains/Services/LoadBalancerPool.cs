using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Mesh.Grains.Services;

/// <summary>The addresses that LoadBalancer Services get, in the order in which they are handed out.</summary>
public sealed class LoadBalancerPool
{
    private readonly IReadOnlyList<IPNetwork> _blocks;
    private readonly HashSet<IPAddress> _members;

    public LoadBalancerPool(IOptions<GrainOptions> options)
    {
        _blocks = options.Value.LoadBalancerPool;
        Addresses = [.. _blocks.SelectMany(AddressesOf).Distinct()];
        _members = [.. Addresses];
    }

    /// <summary>A few thousand at most: the options are refused otherwise.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; }

    public bool Contains(IPAddress address) => _members.Contains(address);

    /// <summary>As the option is written.</summary>
    public override string ToString() => string.Join(',', _blocks.Select(block => IsSingle(block) ? block.BaseAddress.ToString() : block.ToString()));

    private static bool IsSingle(IPNetwork block) => block.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 || block.PrefixLength == 32;

    /// <summary>Without a network's own and its broadcast address, which no machine has.</summary>
    private static IEnumerable<IPAddress> AddressesOf(IPNetwork block)
    {
        if (IsSingle(block))
        {
            return [block.BaseAddress];
        }

        var range = Core.Names.IPRange.Parse(block.ToString());
        var ends = block.PrefixLength == 31 ? 0 : 1;
        return Enumerable.Range(ends, (int)range.Size - (2 * ends)).Select(index => range[index]);
    }
}

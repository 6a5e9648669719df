using System.Buffers.Binary;
using System.Net;
using Mesh.Core.Names;
using Mesh.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Grains.Services;

/// <summary>Suggests free ClusterIPs of the CIDR; the commit of the IPAddress object decides. One per silo.</summary>
public sealed class ClusterIPs
{
    private readonly IWatchCache _cache;
    private readonly IPNetwork _cidr;
    private readonly uint _base;
    private readonly int _size;
    private readonly FreeNumbers _free;

    public ClusterIPs(IWatchCache cache, IOptions<GrainOptions> options, TimeProvider time, Random random)
    {
        (_cache, _cidr) = (cache, options.Value.ServiceCidr);
        _base = Number(_cidr.BaseAddress);
        // 2^20 addresses are more than a cluster has Services; more would only cost memory.
        _size = 1 << Math.Min(32 - _cidr.PrefixLength, 20);
        _free = new FreeNumbers(_size, _size < 16 ? 0 : Math.Min(Math.Max(16, _size / 16), 256), time, random, _ => Taken());
    }

    /// <summary>Whether a Service may ask for it: in the CIDR, neither the network's nor the broadcast address.</summary>
    public bool Contains(IPAddress address) =>
        _cidr.Contains(address) && Number(address) - _base is var offset && offset > 0 && offset < (uint)_size - 1;

    /// <summary>A free address, or null when all are taken.</summary>
    /// <param name="keep">It is for a Service that is about to be committed.</param>
    public IPAddress? Suggest(bool keep) => _free.Suggest(keep) is { } offset ? Address(_base + (uint)offset) : null;

    public void MarkUsed(IPAddress address)
    {
        if (Contains(address))
        {
            _free.MarkUsed((int)(Number(address) - _base));
        }
    }

    /// <summary>With the network's and the broadcast address, which nobody gets.</summary>
    private IEnumerable<int> Taken() => _cache.List(Kinds.NetworkingGroup, "IPAddress", null).Items
        .Select(stored => IPAddress.TryParse(stored.Key.Name, out var address) && Contains(address) ? (int)(Number(address) - _base) : 0)
        .Append(0)
        .Append(_size - 1);

    private static uint Number(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes())
            : 0;

    private static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}

using System.Buffers.Binary;
using System.Net;
using Mesh.Core.Names;
using Mesh.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Grains.Services;

/// <summary>
/// Suggests free ClusterIPs from a bitmap of the CIDR. Only a hint: the commit of the IPAddress object decides. One per
/// silo, for many grains at once.
/// </summary>
public sealed class ClusterIPs
{
    private readonly Lock _lock = new();
    private readonly IWatchCache _cache;
    private readonly Random _random;
    private readonly IPNetwork _cidr;
    private readonly uint _base;
    private readonly int _size;
    private readonly bool[] _used;
    private bool _isLoaded;

    public ClusterIPs(IWatchCache cache, IOptions<GrainOptions> options, Random random)
    {
        (_cache, _random, _cidr) = (cache, random, options.Value.ServiceCidr);
        _base = Number(_cidr.BaseAddress);
        // 2^20 addresses are more than a cluster has Services; more would only cost memory.
        _size = 1 << Math.Min(32 - _cidr.PrefixLength, 20);
        _used = new bool[_size];
    }

    /// <summary>Whether a Service may ask for it: in the CIDR, neither the network's nor the broadcast address.</summary>
    public bool Contains(IPAddress address) =>
        _cidr.Contains(address) && Number(address) - _base is var offset && offset > 0 && offset < (uint)_size - 1;

    /// <summary>A free address, or null when all are taken. The lower band is left to those who ask for an address (KEP-3070).</summary>
    public IPAddress? Suggest()
    {
        lock (_lock)
        {
            if (!_isLoaded)
            {
                Load();
            }

            if (Find() is { } found)
            {
                return found;
            }

            Load(); // addresses that other silos released
            return Find();
        }
    }

    public void MarkUsed(IPAddress address) => Mark(address, true);

    public void MarkFree(IPAddress address) => Mark(address, false);

    private IPAddress? Find()
    {
        var band = _size < 16 ? 0 : Math.Min(Math.Max(16, _size / 16), 256);
        return Find(Math.Max(band, 1), _size - 1) ?? Find(1, band);
    }

    private IPAddress? Find(int from, int to)
    {
        var count = to - from;
        var start = count > 0 ? _random.Next(count) : 0;
        for (var i = 0; i < count; i++)
        {
            var offset = from + ((start + i) % count);
            if (!_used[offset])
            {
                return Address(_base + (uint)offset);
            }
        }

        return null;
    }

    private void Load()
    {
        Array.Clear(_used);
        foreach (var stored in _cache.List(Kinds.NetworkingGroup, "IPAddress", null).Items)
        {
            if (IPAddress.TryParse(stored.Key.Name, out var address) && Contains(address))
            {
                _used[Number(address) - _base] = true;
            }
        }

        _isLoaded = true;
    }

    private void Mark(IPAddress address, bool isUsed)
    {
        lock (_lock)
        {
            if (Contains(address))
            {
                _used[Number(address) - _base] = isUsed;
            }
        }
    }

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

using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>Keeps the Services of each endpoint address, for reverse lookups; a change of readiness costs nothing here.</summary>
internal static class EndpointAddresses
{
    public static ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>> Move(
        this ImmutableDictionary<IPAddress, ImmutableSortedSet<NamespacedName>> index,
        NamespacedName service,
        ImmutableArray<Endpoint> before,
        ImmutableArray<Endpoint> after)
    {
        if (HaveSameAddresses(before, after))
        {
            return index;
        }

        var old = before.Select(endpoint => endpoint.Address).ToHashSet();
        var now = after.Select(endpoint => endpoint.Address).ToHashSet();
        foreach (var address in old.Where(address => !now.Contains(address)))
        {
            var rest = index[address].Remove(service);
            index = rest.IsEmpty ? index.Remove(address) : index.SetItem(address, rest);
        }

        foreach (var address in now.Where(address => !old.Contains(address)))
        {
            index = index.SetItem(address, index.GetValueOrDefault(address, ImmutableSortedSet<NamespacedName>.Empty).Add(service));
        }

        return index;
    }

    private static bool HaveSameAddresses(ImmutableArray<Endpoint> before, ImmutableArray<Endpoint> after)
    {
        if (before.Length != after.Length)
        {
            return false;
        }

        for (var i = 0; i < before.Length; i++)
        {
            if (!before[i].Address.Equals(after[i].Address))
            {
                return false;
            }
        }

        return true;
    }
}

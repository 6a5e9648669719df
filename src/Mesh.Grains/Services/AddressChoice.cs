using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Grains.Events;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>The address that a LoadBalancer Service is to have.</summary>
/// <param name="Missing">Ports of the Service that are not answered there.</param>
internal sealed record ChosenAddress(IPAddress? Address, IReadOnlyCollection<ServicePort> Missing, Finding? Found)
{
    public static ChosenAddress None { get; } = new(null, [], null);
}

/// <summary>
/// The address that a LoadBalancer Service asks for, else the one it has, else the first of the pool where all its ports
/// are free. What it has it keeps, with the ports that are free there, when it cannot have what its change asks for.
/// </summary>
internal sealed class AddressChoice(LoadBalancerPool pool, AllocationRow rows, IWatchCache cache, EndpointRule listeners, Random random)
{
    private const string Reason = "AddressNotAllocated";
    private const string Advice = "Choose another port, delete the Service that has it, or";
    private const int MostTold = 3;

    /// <param name="held">The rows that it has.</param>
    /// <param name="isContended">Others choose right now: from a random place on, as whoever begins where they do meets them again.</param>
    public ChosenAddress Of(ReadOnlyMemory<byte> document, Service next, Service? before, HashSet<ObjectKey> held, bool isContended)
    {
        var had = before?.LoadBalancerAddresses.FirstOrDefault(address => pool.Contains(address) && LoadBalancerPorts.KeysAt(address, before).Any(held.Contains));
        if (StoredFields.Text(document, "spec", "loadBalancerIP") is { Length: > 0 } named)
        {
            return !AddressText.TryParse(named, out var asked) || !pool.Contains(asked)
                ? Stay(had, next, held, $"spec.loadBalancerIP {named} is not in --loadbalancer-pool {pool}: leave it out, or start Mesh with a pool that holds it")
                : WhyNot(asked, next, held).FirstOrDefault().Why is { } taken
                    ? Stay(had, next, held, $"spec.loadBalancerIP {asked} has not all its ports free: {taken}. {Advice} name another address")
                    : new ChosenAddress(asked, [], null);
        }

        // Clients know the address while one of its ports is answered there: only its owner moves it, by spec.loadBalancerIP.
        var isServing = had is not null && LoadBalancerPorts.KeysAt(had, next).Any(held.Contains);
        string? why = null;
        foreach (var candidate in isServing ? [had!] : had is null ? InPool(isContended) : InPool(isContended).Prepend(had))
        {
            if (WhyNot(candidate, next, held).FirstOrDefault().Why is not { } taken)
            {
                return new ChosenAddress(candidate, [], null);
            }

            why ??= taken;
        }

        return Stay(had, next, held, isServing
            ? $"{had} is kept, as clients know it. {Advice} name another address of --loadbalancer-pool {pool} in spec.loadBalancerIP"
            : $"no address of --loadbalancer-pool {pool} has all its ports free: {why}. {Advice} start Mesh with more addresses in --loadbalancer-pool");
    }

    private IEnumerable<IPAddress> InPool(bool isContended)
    {
        var from = isContended ? random.Next(pool.Addresses.Count) : 0;
        return pool.Addresses.Skip(from).Concat(pool.Addresses.Take(from));
    }

    /// <summary>At the address that it had, with those ports that are free there; nowhere when there is none.</summary>
    private ChosenAddress Stay(IPAddress? had, Service next, HashSet<ObjectKey> held, string why)
    {
        var missing = had is null ? [] : WhyNot(had, next, held).ToList();
        if (had is null || missing.Count == next.Ports.Length)
        {
            return new ChosenAddress(null, [], new Finding(Reason, why));
        }

        var ports = string.Join("; ", missing.Take(MostTold).Select(port => port.Why)) + (missing.Count > MostTold ? $"; and {missing.Count - MostTold} more" : "");
        return new ChosenAddress(
            had, [.. missing.Select(port => port.Port)], new Finding(Reason, missing.Count == 0 ? $"{had} is kept: {why}" : $"not answered at {had}: {ports}: {why}"));
    }

    /// <summary>The ports that it cannot have there, one by one.</summary>
    private IEnumerable<(ServicePort Port, string Why)> WhyNot(IPAddress address, Service service, HashSet<ObjectKey> held)
    {
        foreach (var port in service.Ports)
        {
            var key = LoadBalancerPorts.KeyAt(address, port);
            if (port.Protocol == TransportProtocol.Tcp && listeners.IsOwn(address, port.Port))
            {
                yield return (port, $"Mesh itself listens on {new IPEndPoint(address, port.Port)}");
            }
            else if (!held.Contains(key) && cache.Get(key) is { } row && !rows.IsOurs(row))
            {
                yield return (port, $"{key.Name} is allocated{AllocationRow.ToHolder(row)}");
            }
        }
    }
}

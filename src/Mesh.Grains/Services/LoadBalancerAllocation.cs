using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Mesh.Grains.Events;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// A LoadBalancer Service's address of the pool: one row for each of its ports there, and <c>status.loadBalancer</c>, in the
/// Service's own commits. Services share an address as long as they share no port of it.
/// </summary>
internal sealed class LoadBalancerAllocation(LoadBalancerPool pool, AllocationRow rows, IWatchCache cache, EndpointRule listeners)
{
    private static readonly FieldEdit Pending = new(["status", "loadBalancer"], "{}"u8.ToArray());

    /// <summary>For a Service that is created or changed, and again for one that waits (then it was what it is to be).</summary>
    public AllocationStep Plan(ServiceWrite write)
    {
        var (document, next, before, isDryRun) = write;
        if (isDryRun && next.Type == ServiceType.LoadBalancer)
        {
            return AllocationStep.Nothing;
        }

        var held = Held(before).ToHashSet();
        Finding? found = null;
        var address = IsOurs(document, next) ? Choose(document, next, before, held, out found) : null;
        var keys = address is null ? [] : KeysAt(address, next).ToHashSet();
        return new AllocationStep.Add(
            Shown(document, address),
            [.. held.Except(keys).Select(key => new Write.Delete(key, Precondition.None)), .. keys.Except(held).Select(key => rows.Take(key))],
            found is null ? [] : [found]);
    }

    public IEnumerable<Write> Release(Service before) => Held(before).Select(key => new Write.Delete(key, Precondition.None));

    /// <summary>The ports that a Service shows at its addresses: what it has rows for.</summary>
    public static IEnumerable<ObjectKey> KeysOf(Service service) => service.LoadBalancerAddresses.SelectMany(address => KeysAt(address, service));

    private static IEnumerable<ObjectKey> KeysAt(IPAddress address, Service service) => service.Ports
        .Select(port => Kinds.LoadBalancerPort(address, port.Protocol.ToString().ToUpperInvariant(), port.Port)).Distinct();

    private static bool IsOurs(ReadOnlyMemory<byte> document, Service service) =>
        service.Type == ServiceType.LoadBalancer && MeshLoadBalancerClass.IsOurs(StoredFields.Text(document, "spec", "loadBalancerClass"));

    private IEnumerable<ObjectKey> Held(Service? service) =>
        service is null ? [] : KeysOf(service).Where(key => rows.IsOurs(cache.Get(key)));

    /// <summary>The address that it asks for, else the one it has, else the first of the pool where all its ports are free.</summary>
    private IPAddress? Choose(ReadOnlyMemory<byte> document, Service next, Service? before, HashSet<ObjectKey> held, out Finding? found)
    {
        var named = StoredFields.Text(document, "spec", "loadBalancerIP") is { Length: > 0 } text ? text : null;
        IPAddress? asked = null;
        if (named is not null && (!AddressText.TryParse(named, out asked) || !pool.Contains(asked)))
        {
            found = new Finding(
                "AddressNotAllocated", $"spec.loadBalancerIP {named} is not in --loadbalancer-pool {pool}: leave it out, or start Mesh with a pool that holds it");
            return null;
        }

        var candidates = asked is not null
            ? [asked]
            : (before?.LoadBalancerAddresses ?? []).Where(pool.Contains).Concat(pool.Addresses);
        string? why = null;
        foreach (var candidate in candidates)
        {
            if (WhyNot(candidate, next, held) is not { } taken)
            {
                found = null;
                return candidate;
            }

            why ??= taken;
        }

        var where = asked is null ? $"no address of --loadbalancer-pool {pool} has all its ports free" : $"spec.loadBalancerIP {asked} has not all its ports free";
        found = new Finding(
            "AddressNotAllocated", $"{where}: {why}. Choose another port, delete the Service that has it, or start Mesh with more addresses in --loadbalancer-pool");
        return null;
    }

    private string? WhyNot(IPAddress address, Service service, HashSet<ObjectKey> held)
    {
        foreach (var port in service.Ports)
        {
            if (port.Protocol == TransportProtocol.Tcp && listeners.IsOwn(address, port.Port))
            {
                return $"Mesh itself listens on {new IPEndPoint(address, port.Port)}";
            }
        }

        foreach (var key in KeysAt(address, service))
        {
            if (!held.Contains(key) && cache.Get(key) is { } row && !rows.IsOurs(row))
            {
                return $"{key.Name} is allocated{AllocationRow.ToHolder(row)}";
            }
        }

        return null;
    }

    private static IReadOnlyList<FieldEdit> Shown(ReadOnlyMemory<byte> document, IPAddress? address)
    {
        var shown = StoredFields.Node(document, "status", "loadBalancer", "ingress") as JsonArray ?? [];
        if (address is null)
        {
            return shown.Count == 0 ? [] : [Pending];
        }

        JsonArray wanted = [new JsonObject { ["ip"] = address.ToString(), ["ipMode"] = "VIP" }];
        return JsonNode.DeepEquals(shown, wanted)
            ? []
            : [new FieldEdit(["status", "loadBalancer"], JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["ingress"] = wanted }, MeshJson.Options))];
    }
}

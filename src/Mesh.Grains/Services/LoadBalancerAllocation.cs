using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// A LoadBalancer Service's address of the pool: one row for each of its ports there, and <c>status.loadBalancer</c>, in the
/// Service's own commits. Services share an address as long as they share no port of it.
/// </summary>
internal sealed class LoadBalancerAllocation(AddressChoice choice, AllocationRow rows, IWatchCache cache)
{
    /// <summary>Of a port that is not answered at the address (core/v1 PortStatus.error); the Event says why.</summary>
    private const string NotAllocated = "mesh.internal/PortNotAllocated";

    private static readonly FieldEdit Pending = new(["status", "loadBalancer"], "{}"u8.ToArray());

    private bool _isContended;

    /// <summary>For a Service that is created or changed, and again for one that waits (then it was what it is to be).</summary>
    public AllocationStep Plan(ServiceWrite write)
    {
        var (document, next, before, isDryRun) = write;
        if (isDryRun && next.Type == ServiceType.LoadBalancer)
        {
            return AllocationStep.Nothing;
        }

        var held = Held(before).ToHashSet();
        var isOurs = MeshLoadBalancerClass.IsOurs(StoredFields.Text(document, "spec", "loadBalancerClass"));
        if (next.Type == ServiceType.LoadBalancer && !isOurs && held.Count == 0)
        {
            return AllocationStep.Nothing; // what its status shows is its controller's
        }

        var chosen = next.Type == ServiceType.LoadBalancer && isOurs ? choice.Of(document, next, before, held, _isContended) : ChosenAddress.None;
        _isContended = false;
        var keys = chosen.Address is { } address ? next.Ports.Except(chosen.Missing).Select(port => LoadBalancerPorts.KeyAt(address, port)).ToHashSet() : [];
        return new AllocationStep.Add(
            Shown(document, next, chosen),
            [.. held.Except(keys).Select(key => new Write.Delete(key, Precondition.None)), .. keys.Except(held).Select(key => rows.Take(key))],
            chosen.Found is null ? [] : [chosen.Found]);
    }

    /// <summary>Another Service took a port of the address meanwhile: there may be another address.</summary>
    public void Contend() => _isContended = true;

    public IEnumerable<Write> Release(Service before) => Held(before).Select(key => new Write.Delete(key, Precondition.None));

    private IEnumerable<ObjectKey> Held(Service? service) => service is null
        ? []
        : service.LoadBalancerAddresses.SelectMany(address => LoadBalancerPorts.KeysAt(address, service)).Where(key => rows.IsOurs(cache.Get(key)));

    private static IReadOnlyList<FieldEdit> Shown(ReadOnlyMemory<byte> document, Service next, ChosenAddress chosen)
    {
        var shown = StoredFields.Node(document, "status", "loadBalancer", "ingress") as JsonArray ?? [];
        if (chosen.Address is not { } address)
        {
            return shown.Count == 0 ? [] : [Pending];
        }

        var ingress = new JsonObject { ["ip"] = address.ToString(), ["ipMode"] = "VIP" };
        if (chosen.Missing.Count > 0)
        {
            ingress["ports"] = new JsonArray([.. next.Ports.Select(port => Status(port, chosen.Missing.Contains(port)))]);
        }

        JsonArray wanted = [ingress];
        return JsonNode.DeepEquals(shown, wanted)
            ? []
            : [new FieldEdit(["status", "loadBalancer"], JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["ingress"] = wanted }, MeshJson.Options))];
    }

    private static JsonObject Status(ServicePort port, bool isMissing)
    {
        var status = new JsonObject { ["port"] = port.Port, ["protocol"] = port.Protocol.Word() };
        if (isMissing)
        {
            status["error"] = NotAllocated;
        }

        return status;
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Events;
using Mesh.Grains.Objects;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// A Service's node ports: one row for each number, whatever its protocols, in the Service's own commits (Kubernetes
/// registry/core/service/storage/alloc.go and KEP-3668).
/// </summary>
internal sealed class NodePortAllocation(NodePorts ports, AllocationRow rows, IWatchCache cache)
{
    private const string OutOfRange = "provided port is not in the valid range. The range of valid ports is ";
    private const string Full = "failed to allocate a nodePort: range is full";

    public static bool IsFor(Service service) => service.Type is ServiceType.NodePort or ServiceType.LoadBalancer;

    public AllocationStep Plan(ServiceWrite write)
    {
        var (document, next, before, isDryRun) = write;
        var held = Held(before);
        if (!IsFor(next))
        {
            return new AllocationStep.Add([], [.. Release(held)]);
        }

        // What the Service had is its own, row or not: an earlier version only stored it, and the grain's next look takes it.
        var had = before?.Ports.Select(port => port.NodePort).ToHashSet() ?? [];
        for (var i = 0; i < next.Ports.Length; i++)
        {
            if (next.Ports[i].NodePort is > 0 and var asked && !had.Contains(asked) && Refused(asked, isDryRun) is { } why)
            {
                return new AllocationStep.Refuse(Invalid(i, asked, why));
            }
        }

        var chosen = next.Ports.Select(port => port.NodePort).ToArray();
        if (Allocates(document, next) && !Fill(chosen, next, isSharing: before is null, isDryRun))
        {
            return new AllocationStep.Refuse(Replies.Exhausted(Full));
        }

        var taken = chosen.Where(port => port > 0).ToHashSet();
        return new AllocationStep.Add(
            WithPorts(document, next, chosen),
            [.. Release(held.Where(port => !taken.Contains(port))), .. taken.Where(port => !had.Contains(port)).Select(port => Take(port, isDryRun))]);
    }

    /// <summary>Rows for what an earlier version only stored. A number that cannot be had becomes another.</summary>
    public AllocationStep Repair(ServiceWrite write)
    {
        var (document, service, _, _) = write;
        var held = Held(service);
        if (!IsFor(service) || (service.Ports.All(port => held.Contains(port.NodePort) || (port.NodePort == 0 && !Allocates(document, service)))))
        {
            return AllocationStep.Nothing;
        }

        var found = new List<Finding>();
        var chosen = service.Ports.Select(port => port.NodePort).ToArray();
        foreach (var stored in chosen.Where(port => port > 0 && !held.Contains(port)).Distinct().ToArray())
        {
            if (Refused(stored, isCheckingRows: true) is { } why)
            {
                found.Add(new Finding("NodePortChanged", $"nodePort {stored} was stored by an earlier version and cannot be served: {why}; another is taken instead"));
                chosen = [.. chosen.Select(port => port == stored ? 0 : port)];
            }
        }

        if (!Fill(chosen, service, isSharing: true, isDryRun: false))
        {
            return new AllocationStep.Add([], [], new Finding("AllocationFailed", $"{Full}: delete a Service of type NodePort or LoadBalancer, or start with a larger --nodeport-range than {ports.Range}"));
        }

        var taken = chosen.Where(port => port > 0 && !held.Contains(port)).Distinct();
        return new AllocationStep.Add(WithPorts(document, service, chosen), [.. taken.Select(port => Take(port, isDryRun: false))], [.. found]);
    }

    public IEnumerable<Write> Release(Service before) => Release(Held(before));

    /// <summary>Another Service has the number: whoever named it is told, whoever did not gets another.</summary>
    public ObjectReply? Explain(Service asked, CommitOutcome.Failed failed)
    {
        var number = int.Parse(failed.Write.Key.Name, CultureInfo.InvariantCulture);
        ports.MarkUsed(number);
        var index = asked.Ports.Select(port => port.NodePort).ToList().IndexOf(number);
        return index < 0 || rows.IsOurs(failed.Current) ? null : Invalid(index, number, Taken(failed.Current));
    }

    /// <summary>Node ports are wanted for each port; a LoadBalancer Service may want only those that it names.</summary>
    private static bool Allocates(ReadOnlyMemory<byte> document, Service service) =>
        service.Type == ServiceType.NodePort
        || StoredFields.Node(document, "spec", "allocateLoadBalancerNodePorts") is not JsonValue flag || !flag.TryGetValue<bool>(out var wanted) || wanted;

    private static ObjectReply Invalid(int index, int port, string why) => Replies.Invalid(
        string.Create(CultureInfo.InvariantCulture, $"spec.ports[{index}].nodePort"), string.Create(CultureInfo.InvariantCulture, $"Invalid value: {port}: {why}"));

    private static string Taken(StoredObject? row) => "provided port is already allocated" + AllocationRow.ToHolder(row);

    /// <summary>Why the number cannot be had. Whether it is free the commit says, if there is to be one.</summary>
    private string? Refused(int port, bool isCheckingRows) =>
        !ports.Contains(port) ? OutOfRange + ports.Range
        : isCheckingRows && cache.Get(Kinds.NodePort(port)) is { } row ? Taken(row)
        : null;

    /// <summary>
    /// Gives a number to each port that has none; false when there are too few. One number for two protocols is for those
    /// of one port, and only when the Service is new.
    /// </summary>
    private bool Fill(int[] chosen, Service service, bool isSharing, bool isDryRun)
    {
        for (var i = 0; i < chosen.Length; i++)
        {
            if (chosen[i] != 0)
            {
                continue;
            }

            var sibling = isSharing ? Sibling(chosen, service, i) : 0;
            if ((sibling > 0 ? sibling : ports.Suggest(keep: !isDryRun, except: chosen)) is not { } number)
            {
                return false;
            }

            chosen[i] = number;
        }

        return true;
    }

    private static int Sibling(int[] chosen, Service service, int index)
    {
        var (port, protocol) = (service.Ports[index].Port, service.Ports[index].Protocol);
        return Enumerable.Range(0, chosen.Length)
            .Where(other => service.Ports[other].Port == port && service.Ports[other].Protocol != protocol)
            .Select(other => chosen[other])
            .FirstOrDefault(number => number > 0 && !Enumerable.Range(0, chosen.Length).Any(at => chosen[at] == number && service.Ports[at].Protocol == protocol));
    }

    private HashSet<int> Held(Service? service) => service is null || !IsFor(service)
        ? []
        : [.. service.Ports.Select(port => port.NodePort).Where(port => port > 0 && rows.IsOurs(cache.Get(Kinds.NodePort(port))))];

    private Write Take(int port, bool isDryRun)
    {
        if (!isDryRun)
        {
            ports.MarkUsed(port);
        }

        return rows.Take(Kinds.NodePort(port));
    }

    private static IEnumerable<Write> Release(IEnumerable<int> held) =>
        held.Select(port => new Write.Delete(Kinds.NodePort(port), Precondition.None));

    private static IReadOnlyList<FieldEdit> WithPorts(ReadOnlyMemory<byte> document, Service next, int[] chosen)
    {
        if (next.Ports.Select(port => port.NodePort).SequenceEqual(chosen) || StoredFields.Node(document, "spec", "ports") is not JsonArray list)
        {
            return [];
        }

        foreach (var (port, number) in list.Zip(chosen))
        {
            if (port is JsonObject fields && number > 0)
            {
                fields["nodePort"] = number;
            }
        }

        return [new FieldEdit(["spec", "ports"], JsonSerializer.SerializeToUtf8Bytes(list, MeshJson.Options))];
    }
}

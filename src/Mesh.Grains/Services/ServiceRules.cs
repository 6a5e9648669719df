using System.Collections.Immutable;
using System.Diagnostics;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Objects;
using Mesh.Grains.Events;
using Mesh.Grains.Objects;
using Mesh.Storage;

namespace Mesh.Grains.Services;

/// <summary>
/// What a Service adds to the write path: its addresses and ports, allocated, kept and released in the Service's own
/// commits. Which rows are its own is read from the watch cache, which must have followed the log to what is known of the
/// Service: rows change only together with it.
/// </summary>
internal sealed class ServiceRules(
    NamespacedName name, ClusterIPAllocation address, NodePortAllocation nodePorts, LoadBalancerAllocation balancer, IWatchCache cache) : IObjectRules
{
    public WritePlan Plan(ObjectRequest request, StoredObject? current) => request.Verb switch
    {
        ObjectVerb.Create or ObjectVerb.Update => Put(request, current),
        ObjectVerb.Delete => Delete(current!),
        _ => throw new UnreachableException(),
    };

    public ObjectReply? Explain(ObjectRequest request, CommitOutcome.Failed failed)
    {
        var asked = ServiceParser.Parse(request.Document, 0);
        return failed.Write.Key.Kind switch
        {
            "IPAddress" => address.Explain(asked, failed),
            "NodePort" => nodePorts.Explain(asked, failed),
            _ => PlanAgain(failed),
        };
    }

    /// <summary>What the Service did not ask for by name is another's meanwhile.</summary>
    public ObjectReply? PlanAgain(CommitOutcome.Failed failed)
    {
        if (failed.Write.Key.Kind == "LoadBalancerPort")
        {
            balancer.Contend();
        }

        return null;
    }

    /// <summary>
    /// What a Service lacks that is stored already: node ports and an address for one that an earlier version only stored,
    /// an address for one that waits for it.
    /// </summary>
    public WritePlan Repair(StoredObject? current, ICollection<Finding> found)
    {
        if (current is null || current.IsDeleting)
        {
            return new WritePlan.Keep();
        }

        var service = ServiceParser.Parse(current.Document, current.CreatedVersion);
        var write = new ServiceWrite(current.Document, service, service, IsDryRun: false);
        var edits = new List<FieldEdit>();
        var writes = new List<Write>();
        foreach (var step in new[] { nodePorts.Repair(write), balancer.Plan(write) }.OfType<AllocationStep.Add>())
        {
            edits.AddRange(step.Edits);
            writes.AddRange(step.Writes);
            foreach (var finding in step.Found)
            {
                found.Add(finding);
            }
        }

        return edits.Count == 0 && writes.Count == 0 ? new WritePlan.Keep() : new WritePlan.Put(DocumentEdit.Apply(current.Document, edits), writes);
    }

    private WritePlan Put(ObjectRequest request, StoredObject? current)
    {
        var next = ServiceParser.Parse(request.Document, 0);
        var before = current is null ? null : ServiceParser.Parse(current.Document, current.CreatedVersion);
        var write = new ServiceWrite(request.Document, next, before, request.DryRun);
        var edits = new List<FieldEdit>();
        var writes = new List<Write>();
        foreach (var plan in (Func<ServiceWrite, AllocationStep>[])[address.Plan, nodePorts.Plan, balancer.Plan])
        {
            switch (plan(write))
            {
                case AllocationStep.Refuse refusal:
                    return new WritePlan.Refuse(refusal.Reply);
                case AllocationStep.Add step:
                    edits.AddRange(step.Edits);
                    writes.AddRange(step.Writes);
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return new WritePlan.Put(edits.Count == 0 ? request.Document : DocumentEdit.Apply(request.Document, edits), writes);
    }

    /// <summary>Allocations, Endpoints and slices go in the commit that removes the Service.</summary>
    private WritePlan.Delete Delete(StoredObject current)
    {
        var service = ServiceParser.Parse(current.Document, current.CreatedVersion);
        ImmutableArray<Write> released = [.. ClusterIPAllocation.Release(service), .. nodePorts.Release(service), .. balancer.Release(service)];
        var slices = OwnSlices.Of(cache, name).Take(StoreLimits.MaxWritesPerCommit - 10 - released.Length);
        return new WritePlan.Delete(
        [
            .. released,
            new Write.Delete(Kinds.Endpoints(name), Precondition.None),
            .. slices.Select(slice => new Write.Delete(slice.Key, Precondition.None)),
        ]);
    }
}

using System.Net;
using Mesh.Agent.Registrations;
using Mesh.Core.Names;
using Mesh.NodeLink.Wire;

namespace Mesh.Agent.Pods;

/// <summary>The Pods registered on this machine, by name and by uid, and their addresses; its lock guards them and all that they hold.</summary>
internal sealed class PodTable(Func<IReadOnlyCollection<IPAddress>>? machine)
{
    private readonly Dictionary<NamespacedName, RegisteredPod> _byName = [];
    private readonly Dictionary<string, RegisteredPod> _byUid = new(StringComparer.Ordinal);

    public Lock Gate { get; } = new();

    public PodAddresses Addresses { get; } = new(machine);

    public int Count => _byName.Count;

    public void Add(RegisteredPod pod)
    {
        _byUid.Add(pod.Uid, pod);
        _byName.Add(pod.Facts.Name, pod);
    }

    public void Remove(RegisteredPod pod)
    {
        _byName.Remove(pod.Facts.Name);
        _byUid.Remove(pod.Uid);
    }

    public RegisteredPod? Find(NamespacedName name) => _byName.GetValueOrDefault(name);

    public RegisteredPod? Find(string uid) => _byUid.GetValueOrDefault(uid);

    public (PodDocument.Facts Facts, PodDocument.Shown Shown)? Show(NamespacedName name)
    {
        lock (Gate)
        {
            return _byName.TryGetValue(name, out var pod) ? (pod.Facts, pod.Shown) : null;
        }
    }

    /// <summary>Whether this Pod lives from before a restart of the node, and its stream is awaited back.</summary>
    public bool IsAwaited(NamespacedName name, string? uid)
    {
        lock (Gate)
        {
            return uid is not null && _byName.TryGetValue(name, out var pod) && pod.Uid == uid && pod.Lease is null;
        }
    }

    public List<(PodDocument.Facts Facts, PodDocument.Shown Shown)> List(string ns)
    {
        lock (Gate)
        {
            return [.. _byName.Values.Where(pod => pod.Facts.Name.Namespace == ns).OrderBy(pod => pod.Facts.Name).Select(pod => (pod.Facts, pod.Shown))];
        }
    }

    public List<PodState> States(string ns)
    {
        lock (Gate)
        {
            return [.. _byName.Values.Where(pod => ns.Length == 0 || pod.Facts.Name.Namespace == ns).Select(pod => pod.State)];
        }
    }

    public List<RegisteredPod> Where(Func<RegisteredPod, bool> condition)
    {
        lock (Gate)
        {
            return [.. _byName.Values.Where(condition)];
        }
    }
}

using System.Net;
using Mesh.Agent.Probes;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.NodeLink.NodeEnd;
using Mesh.NodeLink.Wire;
using Microsoft.Extensions.Logging;

namespace Mesh.Agent.Pods;

/// <summary>Pods of this node that were applied as manifests: their processes run by themselves, the node tells only whether they are ready.</summary>
internal sealed class ManifestPods(LivenessCounter liveness, IReportSink reports, ProbeLoop probes, ILogger logger)
{
    /// <summary>Without a readinessProbe.</summary>
    private static readonly TimeSpan PortsEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<NamespacedName, Entry> _pods = [];

    /// <param name="host">The address of a Pod that names none.</param>
    public void Apply(ObjectDocument document, IPAddress host)
    {
        Pod pod;
        try
        {
            pod = PodParser.Parse(document.Document, document.CreatedVersion);
        }
        catch (FormatException unreadable)
        {
            logger.PodUnreadable(document.Name.ToString(), unreadable.Message);
            return;
        }

        ProbeTarget? added = null;
        lock (_gate)
        {
            _pods.TryGetValue(document.Name, out var old);
            if (old is not null && old.Uid == document.Uid && old.Version > document.ResourceVersion)
            {
                return;
            }

            var entry = old is not null && old.Uid == document.Uid ? old : new Entry(document.Name, document.Uid);
            _pods[document.Name] = entry;
            entry.Version = document.ResourceVersion;
            entry.IsToldAgain = true;
            var wasTerminating = entry.IsTerminating;
            entry.IsTerminating = pod.IsDeleting || pod.IsTerminal;
            var address = pod.PodIP ?? host;
            var spec = pod.ReadinessProbe is { } probe
                ? ProbeSpec.Of(probe, address, pod.Ports)
                : ProbeSpec.PortsAccept(address, pod.Ports, PortsEvery);
            if (old is not null && old != entry)
            {
                probes.Remove(old.Probe!);
            }

            if (entry.Probe is null || !entry.Probe.Spec.IsSame(spec))
            {
                if (entry.Probe is { } replaced)
                {
                    probes.Remove(replaced);
                }

                added = new ProbeTarget(spec, () => OnProbed(entry)) { IsReady = entry.Probe?.IsReady ?? false };
                entry.Probe = added;
            }

            if (entry.IsTerminating && !wasTerminating)
            {
                Tell(entry);
            }
        }

        if (added is not null)
        {
            probes.Add(added);
        }
    }

    public void Remove(NamespacedName name, string uid)
    {
        lock (_gate)
        {
            if (_pods.TryGetValue(name, out var entry) && entry.Uid == uid)
            {
                _pods.Remove(name);
                probes.Remove(entry.Probe!);
            }
        }
    }

    public void BeginResync()
    {
        lock (_gate)
        {
            foreach (var entry in _pods.Values)
            {
                entry.IsToldAgain = false;
            }
        }
    }

    /// <summary>What the control plane did not tell again is not a Pod of this node any more.</summary>
    public void MarkSynced()
    {
        lock (_gate)
        {
            foreach (var entry in _pods.Values.Where(entry => !entry.IsToldAgain).ToList())
            {
                _pods.Remove(entry.Name);
                probes.Remove(entry.Probe!);
            }
        }
    }

    /// <summary>Those of which something is known: a Pod that was not probed yet is as the silo has it.</summary>
    public List<PodState> States(string ns)
    {
        lock (_gate)
        {
            return
            [
                .. _pods.Values.Where(entry => entry.Liveness > 0 && (ns.Length == 0 || entry.Name.Namespace == ns)).Select(entry => new PodState
                {
                    Namespace = entry.Name.Namespace,
                    Name = entry.Name.Name,
                    Uid = entry.Uid,
                    Liveness = entry.Liveness,
                    Ready = entry.IsReady,
                    Terminating = entry.IsTerminating,
                }),
            ];
        }
    }

    private Task OnProbed(Entry entry)
    {
        lock (_gate)
        {
            Tell(entry);
        }

        return Task.CompletedTask;
    }

    private void Tell(Entry entry)
    {
        entry.Liveness = liveness.Next();
        logger.ReadinessChanged(entry.Name.ToString(), entry.IsReady ? "ready" : "not ready", entry.Probe!.Message);
        reports.Put(new PodReport
        {
            Namespace = entry.Name.Namespace,
            Name = entry.Name.Name,
            Uid = entry.Uid,
            Liveness = entry.Liveness,
            Ready = entry.IsReady,
            Terminating = entry.IsTerminating,
            Reason = entry switch
            {
                { IsTerminating: true } or { Probe.HasFailed: false } => "",
                { Probe.IsRefused: true } => PodReasons.ProcessAwaited,
                _ => PodReasons.Unhealthy,
            },
            Message = entry.Probe!.Message,
        });
    }

    private sealed class Entry(NamespacedName name, string uid)
    {
        public NamespacedName Name => name;

        public string Uid => uid;

        public long Version { get; set; }

        public ulong Liveness { get; set; }

        public bool IsToldAgain { get; set; }

        public bool IsTerminating { get; set; }

        public ProbeTarget? Probe { get; set; }

        public bool IsReady => !IsTerminating && Probe!.IsReady;
    }
}

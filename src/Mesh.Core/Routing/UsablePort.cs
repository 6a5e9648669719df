using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Services;

namespace Mesh.Core.Routing;

/// <summary>The usable endpoints of one Service port.</summary>
internal static class UsablePort
{
    /// <summary>
    /// The best rank that any endpoint has is used, alone: kube-proxy falls back from ready to serving and terminating
    /// (KEP-1669), and endpoints of silent nodes, which nobody can confirm, come after every confirmed one.
    /// </summary>
    private enum Rank
    {
        Ready,
        Draining,
        SilentReady,
        SilentDraining,
        Never,
    }

    /// <summary>The route is <paramref name="before"/> itself when nothing changed.</summary>
    public static PortRoute Of(ServicePort port, ImmutableArray<Endpoint> endpoints, Func<string, bool> isSilent, PortRoute? before)
    {
        var best = Rank.Never;
        var count = 0;
        foreach (var endpoint in endpoints)
        {
            var rank = RankOf(endpoint, port, isSilent);
            count = rank < best ? 1 : rank == best ? count + 1 : count;
            best = rank < best ? rank : best;
        }

        if (best == Rank.Never)
        {
            return before is { Usable.IsEmpty: true } && before.Port == port ? before : new PortRoute(port, []);
        }

        return Collect(port, endpoints, isSilent, best, count, before);
    }

    private static PortRoute Collect(
        ServicePort port, ImmutableArray<Endpoint> endpoints, Func<string, bool> isSilent, Rank best, int count, PortRoute? before)
    {
        var targets = ImmutableArray.CreateBuilder<Target>(count);
        var seen = new HashSet<(IPAddress, int)>(count);
        var old = before?.Usable ?? [];
        var next = 0;
        var isSame = before is not null && before.Port == port;
        foreach (var endpoint in endpoints)
        {
            if (RankOf(endpoint, port, isSilent) != best)
            {
                continue;
            }

            var number = endpoint.NumberOf(port)!.Value;
            if (!seen.Add((endpoint.Address, number)))
            {
                continue;
            }

            // Both lists are in the order of Pods, so one pass finds what can be shared.
            while (next < old.Length && old[next].Endpoint.Pod.CompareTo(endpoint.Pod) < 0)
            {
                next++;
            }

            var shared = next < old.Length && ReferenceEquals(old[next].Endpoint, endpoint) && old[next].Address.Port == number;
            isSame &= shared;
            targets.Add(shared ? old[next] : new Target(endpoint, new IPEndPoint(endpoint.Address, number)));
        }

        return isSame && targets.Count == old.Length ? before! : new PortRoute(port, targets.DrainToImmutable());
    }

    private static Rank RankOf(Endpoint endpoint, ServicePort port, Func<string, bool> isSilent)
    {
        if (endpoint.Ended || !endpoint.Has(port))
        {
            return Rank.Never;
        }

        if (endpoint.Ready)
        {
            return isSilent(endpoint.NodeName) ? Rank.SilentReady : Rank.Ready;
        }

        if (endpoint.Serving && endpoint.Terminating)
        {
            return isSilent(endpoint.NodeName) ? Rank.SilentDraining : Rank.Draining;
        }

        return Rank.Never;
    }
}

using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Events;
using Mesh.Storage;

namespace Mesh.Grains.Ingresses;

/// <summary>What of an Ingress is not routed as its writer hoped, in words for its Events.</summary>
internal static class IngressReview
{
    /// <summary>Findings that are told of one Ingress; the last says how many others there are.</summary>
    public const int Most = 20;

    public static IReadOnlyList<Finding> Of(Ingress ingress, IWatchCache cache, DateTimeOffset now) =>
        WhyNotRouted(ingress, cache) is { } not
            ? [new Finding(not.Reason, not.Message)]
            : Bounded([.. Backends(ingress, cache).Concat(Conflicts(ingress, cache)).Concat(TlsReview.Of(ingress, cache, now)).Distinct()]);

    public static NotRouted? WhyNotRouted(Ingress ingress, IWatchCache cache) =>
        IngressAcceptance.WhyNot(ingress, name => IngressClasses.IsOurs(cache, name));

    private static IEnumerable<Finding> Backends(Ingress ingress, IWatchCache cache)
    {
        foreach (var backend in IngressWords.BackendsOf(ingress))
        {
            if (cache.Get(Kinds.Service(backend.Service)) is not { } stored)
            {
                yield return new Finding("ServiceNotFound", $"Service {backend.Service} does not exist; its requests are answered 503");
            }
            else if (Parse(stored) is { } service && !HasPort(service, backend))
            {
                yield return new Finding("ServicePortNotFound", $"Service {backend.Service} has no port {Port(backend)}; its requests are answered 503");
            }
        }
    }

    /// <summary>The older Ingress wins what two claim, unless it is not routed itself.</summary>
    private static IEnumerable<Finding> Conflicts(Ingress ingress, IWatchCache cache)
    {
        var claims = IngressWords.ClaimsOf(ingress).ToHashSet();
        foreach (var older in OlderThan(ingress, Indexes.IngressesByClaim, claims.Select(IngressWords.Of), cache))
        {
            string[] lost = [.. IngressWords.ClaimsOf(older).Where(claims.Contains).Distinct().Select(claim => Named(claim.Host, claim.Path))];
            if (lost.Length > 0)
            {
                yield return new Finding("PathConflict", $"{Listing.Of(lost)}: the older Ingress {older.Name} claims the same, and wins");
            }
        }
    }

    /// <summary>The routed Ingresses that came first and have one of the words, by name.</summary>
    public static IEnumerable<Ingress> OlderThan(Ingress ingress, CacheIndex index, IEnumerable<string> words, IWatchCache cache) => words
        .SelectMany(word => cache.Find(index, word)).Select(IngressDocument.TryParse).OfType<Ingress>()
        .Where(other => other.CreatedVersion < ingress.CreatedVersion).DistinctBy(other => other.Name)
        .Where(other => WhyNotRouted(other, cache) is null)
        .OrderBy(other => other.Name);

    private static string Named(string host, string path) => host.Length == 0 ? $"path {path} of every host" : $"path {path} of host {host}";

    private static Finding[] Bounded(Finding[] found) => found.Length <= Most
        ? found
        : [.. found.Take(Most - 1), new Finding("MoreProblems", $"{found.Length - Most + 1} more problems of this Ingress are not told; they show when these are solved")];

    private static bool HasPort(Service service, IngressBackend backend) =>
        service.Ports.Any(port => backend.PortName is { } name ? port.Name == name : port.Port == backend.PortNumber);

    private static string Port(IngressBackend backend) => backend.PortName is { } name ? $"'{name}'" : $"{backend.PortNumber}";

    private static Service? Parse(StoredObject stored)
    {
        try
        {
            return ServiceParser.Parse(stored.Document, stored.CreatedVersion);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Mesh.Core.Certificates;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Storage;

namespace Mesh.Grains.Ingresses;

/// <summary>Which of the Secrets that Ingresses name are served. All of them, unless they are more than the gateways take.</summary>
internal static class TakenSecrets
{
    // By the list of all Ingresses, which is one while none of them changes.
    private static readonly ConditionalWeakTable<IReadOnlyList<StoredObject>, Taken> Known = [];

    public static bool Has(IWatchCache cache, NamespacedName secret)
    {
        if (cache.Count(Indexes.IngressesBySecret) <= CertificateLimits.Secrets)
        {
            return true; // whoever is not routed included
        }

        var classes = cache.List(Kinds.NetworkingGroup, "IngressClass", null).Items;
        var ingresses = cache.List(Kinds.NetworkingGroup, "Ingress", null).Items;
        if (!Known.TryGetValue(ingresses, out var taken) || !ReferenceEquals(taken.Classes, classes))
        {
            var routed = ingresses.Select(IngressDocument.TryParse).OfType<Ingress>().Where(ingress => IngressReview.WhyNotRouted(ingress, cache) is null);
            taken = new Taken(classes, TlsNames.SecretsOf(routed));
            Known.AddOrUpdate(ingresses, taken);
        }

        return taken.Secrets.Contains(secret);
    }

    private sealed record Taken(IReadOnlyList<StoredObject> Classes, ImmutableHashSet<NamespacedName> Secrets);
}

using Mesh.Core.Certificates;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Grains.Certificates;
using Mesh.Grains.Events;
using Mesh.Grains.Pods;
using Mesh.Storage;

namespace Mesh.Grains.Ingresses;

/// <summary>What of an Ingress' <c>spec.tls</c> is not shown as its writer hoped, in words for its Events. None holds anything of a Secret.</summary>
internal static class TlsReview
{
    public static IEnumerable<Finding> Of(Ingress ingress, IWatchCache cache, DateTimeOffset now)
    {
        if (ingress.Tls.IsEmpty)
        {
            return [];
        }

        var secrets = TlsNames.Of(ingress).Where(name => name.Secret is not null).ToLookup(name => name.Secret!, name => name.Host);
        return [.. secrets.SelectMany(secret => Of(secret.Key, [.. secret], TakenSecrets.Has(cache, secret.Key), cache, now)), .. Conflicts(ingress, cache)];
    }

    private static IEnumerable<Finding> Of(NamespacedName secret, string[] hosts, bool isTaken, IWatchCache cache, DateTimeOffset now)
    {
        if (cache.Get(Kinds.Secret(secret)) is not { } stored)
        {
            return [new Finding("SecretNotFound", $"Secret {secret} does not exist; {Shown(hosts)}")];
        }

        if (!isTaken)
        {
            return [new Finding("TooManyCertificates", $"older Ingresses name {CertificateLimits.Secrets} Secrets already, the most that are served: of Secret {secret} nothing is; {Shown(hosts)}")];
        }

        return SecretCertificates.Of(stored) switch
        {
            SecretCertificate.Unusable unusable => [new Finding("CertificateNotUsable", $"Secret {secret} {unusable.Why}; {Shown(hosts)}")],
            SecretCertificate.Usable usable => Of(secret, hosts, usable, now),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static IEnumerable<Finding> Of(NamespacedName secret, string[] hosts, SecretCertificate.Usable certificate, DateTimeOffset now)
    {
        if (now > certificate.NotAfter || now < certificate.NotBefore)
        {
            yield return new Finding(
                "CertificateNotValid",
                $"the certificate in Secret {secret} is valid from {StoredFields.Time(certificate.NotBefore)} to {StoredFields.Time(certificate.NotAfter)}: clients that check it refuse it");
        }

        string[] missing = [.. hosts.Where(host => host.Length > 0 && !certificate.Covers(host))];
        if (missing.Length > 0)
        {
            yield return new Finding("HostNotCovered", $"the certificate in Secret {secret} is not for {Listing.Of(missing)}: clients that check it refuse it");
        }
    }

    /// <summary>The older Ingress wins a name that two want different certificates for.</summary>
    private static IEnumerable<Finding> Conflicts(Ingress ingress, IWatchCache cache)
    {
        var wanted = TlsNames.Of(ingress).ToLookup(name => name.Host, name => name.Secret);
        foreach (var older in IngressReview.OlderThan(ingress, Indexes.IngressesByTlsName, wanted.Select(name => name.Key), cache))
        {
            string[] lost = [.. TlsNames.Of(older).Where(other => wanted[other.Host].Any(own => own != other.Secret)).Select(other => Named(other.Host)).Distinct()];
            if (lost.Length > 0)
            {
                yield return new Finding("CertificateConflict", $"{Listing.Of(lost)}: the older Ingress {older.Name} names another Secret, or none, and wins");
            }
        }
    }

    private static string Shown(string[] hosts) => $"{Listing.Of([.. hosts.Select(Named)])}: clients are shown the default certificate";

    private static string Named(string host) => host.Length == 0 ? "every host" : $"host {host}";
}

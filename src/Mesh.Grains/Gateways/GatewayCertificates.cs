using Mesh.Core.Certificates;
using Mesh.Core.Ingresses;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.Grains.Certificates;
using Mesh.Grains.Ingresses;
using Mesh.Storage;

namespace Mesh.Grains.Gateways;

/// <summary>
/// Which certificates one node is to be told: of each Secret that a routed Ingress of its namespace names, certificate and key,
/// and nothing of any other Secret. For one thread of control.
/// </summary>
internal sealed class GatewayCertificates
{
    private readonly int _most;
    private readonly Dictionary<NamespacedName, Ingress> _ingresses = []; // those with TLS
    private readonly HashSet<string> _classes = new(StringComparer.Ordinal); // whose controller is Mesh's
    private readonly Dictionary<NamespacedName, StoredObject> _secrets = [];
    private readonly Dictionary<NamespacedName, int> _named = []; // by routed Ingresses
    private readonly Dictionary<NamespacedName, (string Uid, ReadOnlyMemory<byte> Pem)> _told = [];

    public GatewayCertificates(int most = CertificateLimits.Secrets) => _most = most;

    /// <summary>What is to be told now that the Secret, Ingress or IngressClass is so, or is gone.</summary>
    public IReadOnlyList<RoutingChange> Apply(StoredObject stored, bool isGone) => stored.Key.Kind switch
    {
        "Secret" => ApplySecret(stored, isGone),
        "Ingress" => Change(() => ApplyIngress(stored, isGone)),
        "IngressClass" => Change(() => ApplyClass(stored.Key.Name, !isGone && IngressClasses.IsOurs(stored))),
        _ => [],
    };

    private List<RoutingChange> ApplySecret(StoredObject stored, bool isGone)
    {
        var name = NamespacedName.Of(stored.Key.Namespace, stored.Key.Name);
        if (isGone)
        {
            _secrets.Remove(name);
        }
        else
        {
            _secrets[name] = stored;
        }

        return Judge([name]);
    }

    private IEnumerable<NamespacedName> ApplyIngress(StoredObject stored, bool isGone)
    {
        var name = NamespacedName.Of(stored.Key.Namespace, stored.Key.Name);
        _ingresses.Remove(name, out var before);
        var now = isGone ? null : IngressDocument.TryParse(stored);
        Count(before, -1);
        if (now is { Tls.IsEmpty: false })
        {
            _ingresses[name] = now;
            Count(now, +1);
        }

        return Secrets(before).Concat(Secrets(now));
    }

    private IEnumerable<NamespacedName> ApplyClass(string name, bool isOurs)
    {
        var concerned = _ingresses.Values.Where(ingress => ingress.ClassName == name).ToArray();
        Array.ForEach(concerned, ingress => Count(ingress, -1));
        _ = isOurs ? _classes.Add(name) : _classes.Remove(name);
        Array.ForEach(concerned, ingress => Count(ingress, +1));
        return concerned.SelectMany(Secrets);
    }

    private List<RoutingChange> Change(Func<IEnumerable<NamespacedName>> apply)
    {
        var wereTooMany = _named.Count > _most;
        var concerned = apply().Distinct().ToArray();
        return Judge(wereTooMany || _named.Count > _most ? _named.Keys.Union(_told.Keys).Union(concerned) : concerned);
    }

    private List<RoutingChange> Judge(IEnumerable<NamespacedName> secrets)
    {
        // Counting whose turn it is costs a look at every Ingress, so it is done only while they are too many.
        var taken = _named.Count > _most ? TlsNames.SecretsOf(_ingresses.Values.Where(IsRouted), _most) : null;
        var changes = new List<RoutingChange>();
        foreach (var secret in secrets)
        {
            if (_named.ContainsKey(secret) && taken?.Contains(secret) != false
                && _secrets.TryGetValue(secret, out var stored) && SecretCertificates.Of(stored) is SecretCertificate.Usable usable)
            {
                Tell(secret, stored, usable.Certificate.Pem, changes);
            }
            else if (_told.Remove(secret))
            {
                changes.Add(new RoutingChange.CertificateRemoved(secret));
            }
        }

        return changes;
    }

    /// <summary>A new label of the Secret is no new certificate: clients go on with their sessions.</summary>
    private void Tell(NamespacedName secret, StoredObject stored, ReadOnlyMemory<byte> pem, List<RoutingChange> changes)
    {
        if (_told.TryGetValue(secret, out var told) && told.Uid == stored.Uid && told.Pem.Span.SequenceEqual(pem.Span))
        {
            return;
        }

        _told[secret] = (stored.Uid, pem);
        changes.Add(new RoutingChange.Certificate(new ObjectDocument(secret, stored.Uid, stored.ResourceVersion, stored.CreatedVersion, pem)));
    }

    private bool IsRouted(Ingress ingress) => IngressAcceptance.WhyNot(ingress, _classes.Contains) is null;

    private static IEnumerable<NamespacedName> Secrets(Ingress? ingress) =>
        ingress is null ? [] : ingress.Tls.Select(tls => tls.Secret).OfType<NamespacedName>().Distinct();

    private void Count(Ingress? ingress, int by)
    {
        if (ingress is null || !IsRouted(ingress))
        {
            return;
        }

        foreach (var secret in Secrets(ingress))
        {
            var count = _named.GetValueOrDefault(secret) + by;
            if (count == 0)
            {
                _named.Remove(secret);
            }
            else
            {
                _named[secret] = count;
            }
        }
    }
}

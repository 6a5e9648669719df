using System.Collections.Immutable;
using Mesh.Core.Certificates;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>
/// The certificates that were told. A removal leaves no tombstone, unlike that of other objects: a Secret that stays where it
/// is comes and goes here, as it is mended or as an Ingress begins to name it.
/// </summary>
internal sealed class CertificateObjects
{
    private readonly HeldObjects _held = new();

    public ImmutableDictionary<NamespacedName, TlsCertificate> Certificates { get; private set; } = ImmutableDictionary<NamespacedName, TlsCertificate>.Empty;

    public TlsCertificate? Default { get; private set; }

    /// <param name="document">Its document is the certificate with its key, as PEM.</param>
    public void Apply(ObjectDocument document, int generation)
    {
        switch (_held.Judge(document))
        {
            case HeldObjects.Verdict.Older:
                _held.HoldOlder(document, generation, static older => older);
                break;
            case HeldObjects.Verdict.Same:
                _held.Hold(document, generation);
                break;
            default:
                Hold(document, generation);
                break;
        }
    }

    public void Apply(RoutingChange.DefaultCertificate told)
    {
        if (Default is null || !Default.Pem.Span.SequenceEqual(told.Pem.Span))
        {
            Default = new TlsCertificate(told.Pem);
        }
    }

    public void Remove(NamespacedName secret)
    {
        _held.Drop(secret);
        Certificates = Certificates.Remove(secret);
    }

    /// <summary>Drops what was not told since the resync began; an older version that was told instead takes its place.</summary>
    public void DropUntold(int generation)
    {
        foreach (var (name, older) in _held.Untold(generation))
        {
            Remove(name);
            if (older is not null)
            {
                Hold(older, generation);
            }
        }
    }

    private void Hold(ObjectDocument document, int generation)
    {
        // What is the same keeps its object, and with it the sessions of clients.
        if (!Certificates.TryGetValue(document.Name, out var held) || !held.Pem.Span.SequenceEqual(document.Document.Span))
        {
            Certificates = Certificates.SetItem(document.Name, new TlsCertificate(document.Document, document.Name));
        }

        _held.Hold(document, generation);
    }
}

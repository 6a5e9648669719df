using System.Runtime.CompilerServices;
using Mesh.Core.Certificates;
using Mesh.Storage;

namespace Mesh.Grains.Certificates;

/// <summary>What each version of a Secret is to a gateway, read once for all who ask: grains look each minute, and a key is dear to parse.</summary>
internal static class SecretCertificates
{
    private static readonly ConditionalWeakTable<StoredObject, SecretCertificate> Read = [];

    public static SecretCertificate Of(StoredObject stored) => Read.GetValue(stored, static secret => CertificateSecret.Read(secret.Document));
}

using System.Runtime.CompilerServices;
using Mesh.Core.Ingresses;
using Mesh.Storage;

namespace Mesh.Grains.Ingresses;

/// <summary>Reads stored Ingresses: each version once, for all who ask.</summary>
internal static class IngressDocument
{
    private static readonly ConditionalWeakTable<StoredObject, StrongBox<Ingress?>> Known = [];

    /// <summary>Null for one that was written past the API's checks: nothing is routed by it.</summary>
    public static Ingress? TryParse(StoredObject stored) => Known.GetValue(stored, static unread =>
    {
        try
        {
            return new StrongBox<Ingress?>(IngressParser.Parse(unread.Document, unread.CreatedVersion));
        }
        catch (FormatException)
        {
            return new StrongBox<Ingress?>(null);
        }
    }).Value;
}

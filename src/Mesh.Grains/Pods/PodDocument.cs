namespace Mesh.Grains.Pods;

/// <summary>What the grains read in a Pod's document without parsing it whole.</summary>
internal static class PodDocument
{
    public static string? NodeName(ReadOnlyMemory<byte> document) => StoredFields.Text(document, "spec", "nodeName");
}

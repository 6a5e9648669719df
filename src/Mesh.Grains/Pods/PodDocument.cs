namespace Mesh.Grains.Pods;

/// <summary>What the grains read in a Pod's document without parsing it whole.</summary>
internal static class PodDocument
{
    public static string? NodeName(ReadOnlyMemory<byte> document) => StoredFields.Text(document, "spec", "nodeName");

    /// <summary>Its life is over (phase Succeeded or Failed); only finalizers keep the object.</summary>
    public static bool IsTerminal(ReadOnlyMemory<byte> document) => IsTerminalPhase(StoredFields.Text(document, "status", "phase"));

    public static bool IsTerminalPhase(string? phase) => phase is "Succeeded" or "Failed";

    /// <summary>Condition Ready of the stored status.</summary>
    public static bool IsReady(ReadOnlyMemory<byte> document) => ShownPod.Read(document).Ready == "True";
}

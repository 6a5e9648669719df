using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Client;

/// <summary>The bodies of the registration protocol (documented in the README).</summary>
internal static class RegistrationProtocol
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    public static PodIdentity IdentityOf(JsonElement pod)
    {
        var metadata = pod.GetProperty("metadata");
        return new PodIdentity(
            Text(metadata, "namespace"),
            Text(metadata, "name"),
            Text(metadata, "uid"),
            pod.TryGetProperty("spec", out var spec) ? Text(spec, "nodeName") : "",
            pod.TryGetProperty("status", out var status) ? Text(status, "podIP") : "");
    }

    public static bool IsDeleting(JsonElement pod) =>
        pod.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("deletionTimestamp", out var at) && at.ValueKind == JsonValueKind.String;

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    public sealed record Registration(
        IReadOnlyDictionary<string, string> Labels,
        IReadOnlyDictionary<string, string> Annotations,
        IReadOnlyList<Port> Ports,
        string Address,
        bool Ready);

    public sealed record Port(string Name, int ContainerPort);

    /// <summary>One line of the answer. A Status (an error that ends the stream) has a message and a reason.</summary>
    public sealed record Line(string? Type, JsonElement Object);
}

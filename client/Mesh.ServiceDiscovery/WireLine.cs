using System.Text.Json.Serialization;

namespace Mesh.ServiceDiscovery;

/// <summary>One line of a watch, as the node writes it (docs/service-discovery.md). What answers may be no node: nothing is certain to be there.</summary>
internal sealed record WireLine(string? Type, WireService? Object);

/// <summary>A Service, or the Status of an <c>ERROR</c>.</summary>
internal sealed record WireService(
    string? Host, string? Type, string? ExternalName, long Revision, IReadOnlyList<WirePort?>? Ports, IReadOnlyList<WireEndpoint?>? Endpoints, string? Message);

internal sealed record WirePort(string? Name, int Port, string? Protocol, string? AppProtocol);

internal sealed record WireEndpoint(string? Address, bool Ready, IReadOnlyList<WireEndpointPort?>? Ports);

internal sealed record WireEndpointPort(string? Name, string? Protocol, int Port, bool Usable);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WireLine))]
[JsonSerializable(typeof(WireService))]
internal sealed partial class WireJson : JsonSerializerContext;

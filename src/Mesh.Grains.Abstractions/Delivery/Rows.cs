using System.Net;

namespace Mesh.Grains.Abstractions.Delivery;

/// <summary>The three orders of a row, as <c>Mesh.Core.Routing.RowOrder</c>.</summary>
[GenerateSerializer, Immutable, Alias("mesh.OrderMessage")]
public readonly record struct OrderMessage(
    [property: Id(0)] string Uid,
    [property: Id(1)] long CreatedVersion,
    [property: Id(2)] long SpecVersion,
    [property: Id(3)] ulong Liveness);

/// <summary>A Pod as the registry knows it. Ended rows, and rows that no longer match a selector, travel as tombstones.</summary>
[GenerateSerializer, Immutable, Alias("mesh.PodRow")]
public sealed record PodRow(
    [property: Id(0)] string Name,
    [property: Id(1)] OrderMessage Order,
    [property: Id(2)] Dictionary<string, string> Labels,
    [property: Id(3)] IPAddress? Address,
    [property: Id(4)] PodPort[] Ports,
    [property: Id(5)] string NodeName,
    [property: Id(6)] bool IsReady,
    [property: Id(7)] bool IsTerminating,
    [property: Id(8)] bool IsRegistered,
    [property: Id(9)] bool IsEnded);

[GenerateSerializer, Immutable, Alias("mesh.PodPort")]
public readonly record struct PodPort([property: Id(0)] string Name, [property: Id(1)] byte Protocol, [property: Id(2)] int Number);

/// <summary>An endpoint as the gateways know it, as <c>Mesh.Core.Routing.Endpoint</c>.</summary>
[GenerateSerializer, Immutable, Alias("mesh.EndpointRow")]
public sealed record EndpointRow(
    [property: Id(0)] string PodName,
    [property: Id(1)] OrderMessage Order,
    [property: Id(2)] IPAddress? Address,
    [property: Id(3)] PodPort[] Ports,
    [property: Id(4)] string NodeName,
    [property: Id(5)] bool IsReady,
    [property: Id(6)] bool IsServing,
    [property: Id(7)] bool IsTerminating,
    [property: Id(8)] bool IsRegistered,
    [property: Id(9)] bool IsEnded);

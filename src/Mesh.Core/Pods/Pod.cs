using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Names;
using Mesh.Core.Services;

namespace Mesh.Core.Pods;

/// <summary>What the rules need of a Pod; parsed from its document by <see cref="PodParser"/>.</summary>
public sealed record Pod
{
    public required NamespacedName Name { get; init; }

    public required string Uid { get; init; }

    public required long ResourceVersion { get; init; }

    public long CreatedVersion { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Core.Labels.LabelMap.Empty;

    /// <summary>Null until known: <c>status.podIP</c>, else the annotation <c>mesh.internal/pod-ip</c>.</summary>
    public IPAddress? PodIP { get; init; }

    public string? NodeName { get; init; }

    public ImmutableArray<ContainerPort> Ports { get; init; } = [];

    /// <summary>The Pod was registered by a stream (annotation <c>mesh.internal/registered-by</c>), not applied as a manifest.</summary>
    public bool IsRegistered { get; init; }

    /// <summary>Condition Ready of the stored status.</summary>
    public bool IsReady { get; init; }

    /// <summary>Phase Succeeded or Failed.</summary>
    public bool IsTerminal { get; init; }

    public bool IsDeleting { get; init; }

    /// <summary>The first container's readinessProbe, null without one.</summary>
    public Probe? ReadinessProbe { get; init; }
}

public sealed record ContainerPort(string? Name, int Number, TransportProtocol Protocol);

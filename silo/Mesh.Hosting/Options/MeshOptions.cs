using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Options;

/// <summary>The options of the table in docs/architecture.md after parsing: every value is valid.</summary>
public sealed record MeshOptions
{
    /// <summary>Absolute.</summary>
    public required string DataDir { get; init; }

    public required string NodeName { get; init; }

    /// <summary>Address that other machines dial, and that Pods with address "host" get.</summary>
    public required IPAddress Advertise { get; init; }

    public required ListenAddress ApiListen { get; init; }

    public required ListenAddress NodeListen { get; init; }

    public required ListenAddress IngressHttp { get; init; }

    public required ListenAddress IngressHttps { get; init; }

    public required ListenAddress DnsListen { get; init; }

    public required IPNetwork ServiceCidr { get; init; }

    public required IPNetwork PodCidr { get; init; }

    /// <summary>Ports of NodePort Services; no listener of Mesh's own is there.</summary>
    public required PortRange NodePortRange { get; init; }

    /// <summary>NodePorts are answered on those addresses of the machine that lie in one of these; empty: on all.</summary>
    public ImmutableArray<IPNetwork> NodePortAddresses { get; init; } = [];

    /// <summary>Addresses of LoadBalancer Services; empty: this machine's own, which is <see cref="Advertise"/>.</summary>
    public ImmutableArray<IPNetwork> LoadBalancerPool { get; init; } = [];

    public required string ClusterDomain { get; init; }

    public required int SiloPort { get; init; }

    public ImmutableArray<uint> RegisterUids { get; init; } = [];

    public required LogLevel LogLevel { get; init; }

    /// <summary><c>text</c> or <c>json</c>; null: text on a terminal, else json.</summary>
    public string? LogFormat { get; init; }

    public ControlPlaneTraces TraceControlPlane { get; init; }
}

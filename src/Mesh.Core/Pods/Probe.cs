using System.Collections.Immutable;

namespace Mesh.Core.Pods;

/// <summary>A readiness probe with Kubernetes' defaults filled in (period 10 s, timeout 1 s, thresholds 1 and 3).</summary>
public sealed record Probe
{
    public required ProbeAction Action { get; init; }

    public TimeSpan InitialDelay { get; init; } = TimeSpan.Zero;

    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    public int SuccessThreshold { get; init; } = 1;

    public int FailureThreshold { get; init; } = 3;
}

public abstract record ProbeAction
{
    private ProbeAction()
    {
    }

    /// <summary>Success is a status from 200 to 399. <paramref name="Host"/> null means the Pod's address.</summary>
    public sealed record HttpGet(string Scheme, string? Host, PortReference Port, string Path, ImmutableArray<(string Name, string Value)> Headers) : ProbeAction;

    public sealed record TcpSocket(string? Host, PortReference Port) : ProbeAction;
}

/// <summary>A port given by number, or by the name of a container port.</summary>
public readonly record struct PortReference(int Number, string? Name)
{
    public int? In(ImmutableArray<ContainerPort> ports)
    {
        var name = Name;
        return name is null ? Number : ports.Where(port => port.Name == name).Select(port => (int?)port.Number).FirstOrDefault();
    }
}

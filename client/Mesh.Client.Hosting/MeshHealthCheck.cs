using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Mesh.Client.Hosting;

/// <summary>Degraded while detached; never unhealthy, or a node that is away would take the application down with it.</summary>
internal sealed class MeshHealthCheck(IMeshRegistration registration) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(registration switch
        {
            { IsEnabled: false } => HealthCheckResult.Healthy("Mesh is switched off."),
            { State: MeshPodState.Unregistered or MeshPodState.Detached } => HealthCheckResult.Degraded($"The Pod is {registration.State}{(registration.LastFailure is { } why ? $": {why}" : "")}."),
            _ => HealthCheckResult.Healthy($"The Pod is {registration.State}."),
        });
}

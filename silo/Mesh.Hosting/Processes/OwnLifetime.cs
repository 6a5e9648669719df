using Microsoft.Extensions.Hosting;

namespace Mesh.Hosting.Processes;

/// <summary>For a host whose process decides itself when it starts and stops: no signal handlers of its own.</summary>
public sealed class OwnLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

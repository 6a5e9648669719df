using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Client;

/// <summary>For consoles and tests: registers this process without a host.</summary>
public static class MeshClient
{
    /// <summary>Registers, waits for the node's first answer, and takes traffic. Disposing the result ends the Pod.</summary>
    /// <exception cref="ArgumentException">The options are not usable.</exception>
    public static async Task<PodRegistration> RegisterAsync(MeshOptions options, ILogger? log = null, CancellationToken stop = default)
    {
        var registration = PodRegistration.Create(options, TimeProvider.System, new Random(), log ?? NullLogger.Instance);
        registration.Begin(options.Address, options.Ports);
        try
        {
            await registration.Registered.WaitAsync(stop);
            return registration;
        }
        catch
        {
            await registration.DisposeAsync();
            throw;
        }
    }
}

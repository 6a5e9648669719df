using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Client;

/// <summary>For consoles and tests: registers this process without a host.</summary>
public static class MeshClient
{
    /// <summary>The category of every log line of the SDK.</summary>
    public const string LogCategory = "Mesh.Client";

    /// <summary>
    /// Registers, waits for the node's first answer (<see cref="MeshOptions.RegisterTimeout"/> at most), and takes traffic.
    /// Disposing the result ends the Pod. Reads <c>MESH_*</c> of the environment; what <paramref name="configure"/> sets wins.
    /// With <c>MESH_ENABLED=false</c> it returns at once, and every call of the result is a no-op.
    /// </summary>
    /// <exception cref="ArgumentException">The options are not usable; the message says which and why.</exception>
    /// <exception cref="InvalidOperationException">The node did not register the process in time, or refused it; the message says why and what to do.</exception>
    public static Task<IMeshPod> RegisterAsync(Action<MeshOptions>? configure = null, ILogger? log = null, CancellationToken stop = default) =>
        RegisterAsync(Environment.GetEnvironmentVariable, TimeProvider.System, configure, log, stop);

    internal static async Task<IMeshPod> RegisterAsync(
        Func<string, string?> variables, TimeProvider time, Action<MeshOptions>? configure, ILogger? log, CancellationToken stop)
    {
        var options = new MeshOptions();
        MeshSettings.Apply(options, MeshEnvironment.Settings(variables));
        configure?.Invoke(options);
        if (!options.Enabled)
        {
            return new DisabledRegistration();
        }

        var registration = PodRegistration.Create(options, time, new Random(), log ?? NullLogger.Instance);
        registration.Begin(options.Address, options.Ports);
        try
        {
            return await registration.FailureAsync(options.RegisterTimeout, stop) is { } failure
                ? throw new InvalidOperationException($"This process is no Pod: {failure} (MESH_ENABLED=false runs it without Mesh)")
                : registration;
        }
        catch
        {
            await registration.DisposeAsync();
            throw;
        }
    }
}
